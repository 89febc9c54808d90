// Damaged files: flips bits, cuts, repeats and overwrites pieces of valid IDX, CSV, NPY, HDF5 and gzip files
// and opens them. Every outcome but a nntrain::Error or a clean read is a finding. Each file is read in a
// child process with a time and memory limit, so that a crash inside libhdf5 is reported with the file that
// causes it.
//   data_fuzz [rounds = 2000] [seed = 1]        exit code 1 when there were findings; their files are kept

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/array_source.h"
#include "io/hdf5.h"

namespace {

using nntrain::data::Role;

/// A valid file and the sources that are tried on it.
struct Seed {
  std::string name;
  std::string bytes;
  std::vector<std::string> datasets = {""};
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// A file as our own writer makes it; its metadata carry checksums (superblock 2, object headers 2).
std::string written_by_us() {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("nntrain-fuzz-seed-" + std::to_string(::getpid()))).string();
  nntrain::io::Hdf5File file = nntrain::io::Hdf5File::create(path);
  nntrain::io::Hdf5Group root = file.root();
  root.write_attribute("model_config", std::string(3000, 'm'));
  root.write_attribute("keras_version", "3.0.0");
  root.write_attribute("layer_names", std::vector<std::string>{"dense", "dense_1"});
  root.write_attribute("epoch", 3);
  root.write_attribute("finished", true);
  root.write_dataset("weights/dense/kernel:0", nntrain::Shape{20, 10}, std::vector<float>(200, 0.5F));
  file.close();
  std::string bytes = read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

std::vector<Seed> seeds() {
  const std::string idx = std::string("\0\0\x0D\2\0\0\0\4\0\0\0\3", 12) + std::string(48, '\x3F');
  std::string header = "{'descr': '<f8', 'fortran_order': True, 'shape': (4, 3), }";
  header.resize(117, ' ');
  const std::string npy = std::string("\x93NUMPY\1\0\x76\0", 10) + header + "\n" + std::string(96, '\x3F');
  const std::string csv = read_file(NNTRAIN_SOURCE_DIR "/configs/data/iris.csv").substr(0, 2000);
  const std::string files = NNTRAIN_TESTS_DIR "/unit/io/files/";
  return {{"a.idx", idx},
          {"a.idx.gz", gzip(idx)},
          {"a.npy", npy},
          {"a.csv", csv + "\"x, \"\"y\"\"\",1,2,3,\"z\"\n"},
          {"a.csv.gz", gzip(csv)},
          {"ours.h5", written_by_us(), {":/weights/dense/kernel:0", ":/weights", ""}},
          {"types.h5",
           read_file(files + "types.h5"),
           {":/f4", ":/gzip", ":/group/inner", ":/rank4", ":/compound", ""}},
          {"single.h5", read_file(files + "single.h5"), {"", ":/group/other"}},
          {"virtual.h5", read_file(files + "virtual.h5"), {":/virtual"}},
          {"attributes.h5", read_file(files + "attributes.h5").substr(0, 30000)}};
}

std::string damaged(std::string bytes, std::mt19937_64& random) {
  const auto at = [&] { return static_cast<std::size_t>(random() % bytes.size()); };
  const int changes = 1 + static_cast<int>(random() % 4);
  for (int i = 0; i < changes && !bytes.empty(); ++i) {
    switch (random() % 6) {
      case 0:
        bytes.resize(at());
        break;
      case 1:
        bytes.insert(at(), bytes.substr(at(), 1 + random() % 64));
        break;
      case 2:
        bytes.replace(at(), 1 + random() % 8, 1 + random() % 8,
                      static_cast<char>(random() % 2 == 0 ? 0xFF : 0));
        break;
      default: {
        const std::size_t where = at();
        bytes[where] = static_cast<char>(static_cast<unsigned char>(bytes[where]) ^ (1U << (random() % 8)));
      }
    }
  }
  return bytes;
}

void read_source(const std::string& source, Role role) {
  nntrain::data::SourceOptions options;
  options.source = source;
  options.role = role;
  options.key = "data.inputs";
  if (role == Role::kTargets) options.columns = "-1";
  const auto opened = nntrain::data::open_array(options);
  std::vector<std::byte> memory(static_cast<std::size_t>(opened->info().bytes()));
  opened->read(memory);
  nntrain::data::fingerprint(opened->info(), memory);
}

void read_attributes(const std::string& path) {
  const nntrain::io::Hdf5File file = nntrain::io::Hdf5File::open(path);
  const nntrain::io::Hdf5Group root = file.root();
  for (const std::string& name : root.attributes()) {
    for (const auto& read :
         std::vector<std::function<void()>>{[&] { root.read_text(name); }, [&] { root.read_texts(name); },
                                            [&] { root.read_number(name); }}) {
      try {
        read();
      } catch (const nntrain::Error&) {
      }
    }
  }
}

void attempt(const std::function<void()>& read) {
  try {
    read();
  } catch (const nntrain::Error& error) {
    if (std::strlen(error.what()) < 10 || std::strncmp(error.what(), "internal", 8) == 0) std::abort();
  }
}

/// 0: fine; else how the child ended.
int in_child(const std::string& path, const Seed& seed) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(20);
#if !defined(__SANITIZE_ADDRESS__)
    const rlimit limit{rlim_t{1} << 30, rlim_t{1} << 30};
    ::setrlimit(RLIMIT_AS, &limit);
#endif
    for (const std::string& dataset : seed.datasets) {
      for (const Role role : {Role::kInputs, Role::kTargets})
        attempt([&] { read_source(path + dataset, role); });
    }
    attempt([&] { read_attributes(path); });
    std::_Exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

}  // namespace

int main(int count, char** arguments) {
  const long rounds = count > 1 ? std::strtol(arguments[1], nullptr, 10) : 2000;
  const unsigned long seed = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 1;
  std::mt19937_64 random(seed);
  const auto folder = std::filesystem::temp_directory_path() / ("nntrain-fuzz-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::vector<Seed> files = seeds();
  long findings = 0;
  for (const Seed& file : files) {
    long here = 0;
    for (long round = 0; round < rounds; ++round) {
      const std::string path = (folder / (std::to_string(round) + "-" + file.name)).string();
      std::ofstream(path, std::ios::binary) << damaged(file.bytes, random);
      const int status = in_child(path, file);
      if (status == 0) {
        std::filesystem::remove(path);
        continue;
      }
      ++here;
      std::printf("FINDING %s: %s %d\n", path.c_str(), WIFSIGNALED(status) ? "signal" : "exit code",
                  WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
    std::printf("%-14s %ld damaged files, %ld findings\n", file.name.c_str(), rounds, here);
    findings += here;
  }
  if (findings == 0) std::filesystem::remove_all(folder);
  return findings == 0 ? 0 : 1;
}
