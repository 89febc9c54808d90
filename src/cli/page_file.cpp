#include "cli/page_file.h"

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/output_guard.h"
#include "train/run/outputs.h"

namespace nntrain::cli {

void check_page_path(const std::string& path, const std::string& command) {
  if (path.empty()) throw InputError("no output given; add --output=" + command + ".html");
  if (!path.ends_with(".html") && !path.ends_with(".htm"))
    throw InputError("--output=" + path + " must end in .html");
}

void check_page_output(const std::string& path, const std::string& model_file,
                       const train::DataSettings& data) {
  io::OutputGuard guard;
  guard.add_input(model_file, "the model");
  train::add_data_inputs(guard, data);
  guard.add_output(path, "--output", [](const std::string& file) {
    return io::first_bytes(file, 512).find("<meta name=\"generator\" content=\"nntrain-dist\" />") !=
           std::string::npos;
  });
  io::try_output(path, 0);
}

void write_page(const std::string& path, const std::string& page) {
  io::AtomicFile file(path);
  file.append(page);
  file.commit();
}

}  // namespace nntrain::cli
