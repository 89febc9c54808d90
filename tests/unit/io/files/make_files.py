#!/usr/bin/env python3
"""Writes the HDF5 files of this folder with h5py: what our own writer never makes, but users (and attackers) do."""
import ctypes
import os
import re
import zlib

import h5py
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def new(name, **options):
    return h5py.File(os.path.join(HERE, name), "w", **options)


def types():
    with new("types.h5") as file:
        for name in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"):
            file[name] = np.arange(6, dtype="<" + name).reshape(3, 2)
        file["big_f4"] = np.arange(6, dtype=">f4").reshape(3, 2)
        file["big_i2"] = np.arange(-3, 3, dtype=">i2")
        file["bool"] = np.array([True, False, True])
        file["scalar"] = np.float32(3)
        file["null"] = h5py.Empty("f4")
        file["compound"] = np.zeros(3, dtype=[("a", "f4"), ("b", "i4")])
        file["text"] = np.array([b"one", b"two"])
        file.create_dataset("vlen_text", data=["one", "three"], dtype=h5py.string_dtype())
        file.create_dataset("gzip", data=np.arange(6000, dtype="f4").reshape(1000, 6), chunks=(128, 6), compression="gzip",
                            shuffle=True, fletcher32=True)
        file.create_dataset("rank4", data=np.arange(24, dtype="f4").reshape(2, 3, 2, 2))
        file.create_dataset("nan", data=np.array([[0, 1], [2, 3], [4, np.nan]], dtype="f4"))
        file.create_dataset("inf", data=np.array([0, -np.inf], dtype="f8"))
        file.create_dataset("large_f8", data=np.array([0, 1e300], dtype="f8"))
        file["group/inner"] = np.ones(2, dtype="f4")
        file["hard"] = file["f4"]
        file["kernel:0"] = np.full(2, 7, dtype="f4")


def attributes():
    with new("attributes.h5") as file:
        file.attrs["vlen"] = "variable \u00e4"
        file.attrs["fixed"] = np.bytes_("fixed")
        file.attrs["fixed_list"] = np.array([b"a", b"bcd"])
        file.attrs.create("vlen_list", ["x", "yz", ""], dtype=h5py.string_dtype())
        file.attrs["empty_list"] = []
        file.attrs["pieces0"] = np.array([b"p", b"q"])
        file.attrs["pieces1"] = np.array([b"r"])
        file.attrs["int32"] = np.int32(-5)
        file.attrs["uint8"] = np.uint8(200)
        file.attrs["float32"] = np.float32(0.5)
        file.attrs["whole_float"] = 7.0
        file.attrs["yes"] = True
        file.attrs["numbers"] = [1, 2, 3]
        file.attrs["long"] = "z" * 66000


def refused():
    with new("target.h5") as file:
        file["secret"] = np.ones(3, dtype="f4")
    with new("links.h5") as file:
        file["data"] = np.ones(3, dtype="f4")
        file["external"] = h5py.ExternalLink("target.h5", "/secret")
        file["soft"] = h5py.SoftLink("/data")
        file["dangling"] = h5py.SoftLink("/nothing")
        file["folder"] = h5py.ExternalLink("target.h5", "/")
    with new("storage.h5") as file:
        # Absolute and relative names: libhdf5 would read any file of the user.
        file.create_dataset("outside", (4,), "u1", external=[("/etc/hostname", 0, 4)])
        file.create_dataset("never_written", (1 << 31, 1 << 31), "f4", chunks=(1, 1024))
        file.create_dataset("all_zero", (1 << 40,), "u1", chunks=(1 << 20,), compression="gzip")
    with new("virtual.h5", libver=("v110", "v110")) as file:
        layout = h5py.VirtualLayout(shape=(3,), dtype="f4")
        layout[:] = h5py.VirtualSource("target.h5", "secret", shape=(3,))
        file.create_virtual_dataset("virtual", layout)
    with new("numbers.h5", libver=("earliest", "v108")) as file:  # headers without checksums
        file["integers"] = np.ones(96, dtype="i8")
        file["reals"] = np.ones(96, dtype="f4")
    with new("compact.h5", libver=("earliest", "v108")) as file:  # the values lie in the header
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_layout(h5py.h5d.COMPACT)
        reals = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((8,)), creation)
        reals.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(8, dtype="f4"))
    # As users of a newer HDF5 write it (made with h5py 3.16 on HDF5 2.0); an older one makes a file that is read.
    with new("newer.h5", libver=("latest", "latest")) as file:
        file.create_dataset("x", data=np.arange(4, dtype="u1"), chunks=(2,), compression="gzip")
    with new("single.h5") as file:
        file["only"] = np.arange(4, dtype="u1")
        file["group/other"] = np.arange(4, dtype="u1")
    with new("diamond.h5", libver=("v108", "v108")) as file:
        # As Keras' weights lie, but each group has two links to the next one: 2^50 paths.
        group = file.create_group("layers")
        for _ in range(50):
            inner = group.create_group("a")
            group["b"] = inner
            group = inner


def fletcher32(data):
    """As H5_checksum_fletcher32 has it: words of two bytes, the first one above."""
    words = np.frombuffer(data[: len(data) // 2 * 2], ">u2").astype(np.uint64).tolist()
    if len(data) % 2:
        words.append(data[-1] << 8)
    low = high = 0
    for word in words:
        low = (low + word) % 65535
        high = (high + low) % 65535
    return int(high << 16 | low).to_bytes(4, "little")


def chunks():
    """Compressed in all the ways that h5py has, with chunks that are missing, stored as they are, or of a wrong length."""
    wide = (np.arange(300 * 6) * 31 % 251).reshape(300, 6)
    options = {"chunks": (64, 6), "compression": "gzip"}
    with new("chunks.h5") as file:
        file.create_dataset("bytes", data=wide.astype("u1"), **options)
        file.create_dataset("floats", data=wide.astype("f4") / 8, **options)
        file.create_dataset("shuffled", data=wide.astype("f4") / 8, shuffle=True, **options)
        file.create_dataset("shuffled_bytes", data=wide.astype("u1"), shuffle=True, **options)
        file.create_dataset("summed", data=wide.astype("f4") / 8, shuffle=True, fletcher32=True, **options)
        file.create_dataset("big", data=wide.astype(">f4") / 8, shuffle=True, **options)
        file.create_dataset("integers", data=wide.astype("i4"), shuffle=True, **options)
        file.create_dataset("doubles", data=wide.astype("f8") / 8, **options)
        file.create_dataset("halves", data=wide.astype("f4") / 8, chunks=(64, 3), compression="gzip")
        holes = file.create_dataset("holes", (300, 6), "f4", fillvalue=5, **options)
        holes[64:128] = wide[64:128] / 8
        as_is = file.create_dataset("as_is", data=wide.astype("f4") / 8, **options)
        as_is.id.write_direct_chunk((64, 0), (wide[64:128] / 8).astype("f4").tobytes(), filter_mask=1)
        for name, rows in (("short", 63), ("long", 65)):
            wrong = file.create_dataset(name, data=wide.astype("u1"), **options)
            wrong.id.write_direct_chunk((64, 0), zlib.compress(wide[64:64 + rows].astype("u1").tobytes()))

    # Of layouts that are left to libhdf5: each has a chunk of fewer or more bytes than its dataset says, at rows 64 to 128.
    columns = np.s_[64:128, 0:3]
    layouts = {
        "doubles": ("f8", (64, 6), {"compression": "gzip"}),
        "integers": ("i4", (64, 6), {"compression": "gzip", "shuffle": True}),
        "halves": ("f4", (64, 3), {"compression": "gzip"}),
        "summed": ("f4", (64, 6), {"compression": "gzip", "fletcher32": True}),
        "sums": ("f4", (64, 6), {"fletcher32": True}),
        "as_is": ("f4", (64, 6), {"compression": "gzip"}),
        "bare": ("f4", (64, 6), {}),
    }
    with new("chunk_lengths.h5", libver=("earliest", "v108")) as file:
        for name, (kind, extents, filters) in layouts.items():
            for wrong in ("right", "short", "long"):
                data = file.create_dataset(f"{name}_{wrong}", data=(wide % 100).astype(kind), chunks=extents, **filters)
                if wrong == "right":
                    continue
                part = (wide % 100).astype(kind)[columns if name == "halves" else np.s_[64:128]].tobytes()
                part = part[:-4] if wrong == "short" else part + b"more"
                if name == "as_is" or "compression" not in filters:
                    data.id.write_direct_chunk((64, 0), part, filter_mask=1)
                    continue
                if filters.get("shuffle"):
                    part = bytes(len(part))
                part = zlib.compress(part)
                if filters.get("fletcher32"):
                    part += fletcher32(part)
                data.id.write_direct_chunk((64, 0), part)


def bits():
    """Elements packed into few bits, and then maybe shuffled and deflated. Each has a chunk, at rows 64 to 128, that is cut after
    some of its bytes."""
    wide = np.arange(300 * 6).reshape(300, 6) * 31 % 100
    kinds = {"scaled": ("f4", {"scaleoffset": 2}), "scaled_doubles": ("f8", {"scaleoffset": 0}), "scaled_integers": ("i4", {"scaleoffset": 0}),
             "scaled_alike": ("i4", {"scaleoffset": 0}), "scaled_gzip": ("i2", {"scaleoffset": 0, "compression": "gzip"}), "scaled_shuffled": ("i4", {"scaleoffset": 0, "shuffle": True, "compression": "gzip"}),
             "nbit": ("i4", None), "nbit_whole": ("i4", None),
             "nbit_gzip": ("i4", {"compression": "gzip"})}
    with new("chunk_bits.h5", libver=("earliest", "v108")) as file:
        for name, (kind, options) in kinds.items():
            for wrong in ("right", "short"):
                values = (wide * 0 + 7 if name == "scaled_alike" else wide).astype(kind)
                if name.startswith("nbit"):
                    creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                    creation.set_chunk((64, 6))
                    creation.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_OPTIONAL, ())
                    if options:
                        creation.set_deflate(4)
                    kept = h5py.h5t.NATIVE_INT32.copy()
                    if name != "nbit_whole":
                        kept.set_precision(17)  # with fewer bits a smaller type would do, and HDF5 refuses it
                    space = h5py.h5s.create_simple((300, 6))
                    data = h5py.Dataset(h5py.h5d.create(file.id, f"{name}_{wrong}".encode(), kept, space, creation))
                    data[...] = values
                else:
                    data = file.create_dataset(f"{name}_{wrong}", data=values, chunks=(64, 6), **options)
                if wrong == "right":
                    continue
                part = data.id.read_direct_chunk((64, 0))[1]
                deflated = name.endswith(("gzip", "shuffled"))
                part = zlib.decompress(part) if deflated else part
                if name == "scaled_shuffled":
                    planes = np.frombuffer(part[: len(part) // 4 * 4], "u1").reshape(4, -1)
                    part = np.ascontiguousarray(planes[:, :-2]).tobytes()
                else:
                    part = part[:18] if name == "scaled_alike" else part[:-5]
                data.id.write_direct_chunk((64, 0), zlib.compress(part) if deflated else part)


def messages():
    """Every kind of message in an object header, in the oldest format and in the newest that HDF5 1.10 has."""
    values = np.arange(24, dtype="f4").reshape(6, 4)
    for name, bounds in (("messages_old.h5", ("earliest", "v108")), ("messages_new.h5", ("v110", "v110"))):
        with new(name, libver=bounds) as file:
            chunked = {
                "single": {"chunks": (6, 4)}, "single_gzip": {"chunks": (6, 4), "compression": "gzip"}, "fixed": {"chunks": (2, 4)},
                "fixed_gzip": {"chunks": (2, 4), "compression": "gzip", "shuffle": True, "fletcher32": True},
                "extensible": {"chunks": (2, 4), "maxshape": (None, 4)}, "tree": {"chunks": (2, 2), "maxshape": (None, None)},
                "tree_gzip": {"chunks": (2, 2), "maxshape": (None, None), "compression": 4}, "filled": {"chunks": (4, 4), "fillvalue": 3},
                "scaled": {"chunks": (6, 4), "scaleoffset": 2}, "contiguous": {}, "grows": {"chunks": (6, 4), "maxshape": (60, None)},
                "unfilled": {"fillvalue": -1.5, "track_times": False}, "timed": {"track_times": True},
            }
            for key, options in chunked.items():
                file.create_dataset(key, data=values, **options)
            creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            creation.set_chunk((2, 4))
            creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            implicit = h5py.h5d.create(file.id, b"implicit", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((6, 4)), creation)
            implicit.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
            compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            compact.set_layout(h5py.h5d.COMPACT)
            compact.set_attr_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
            inside = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((6, 4)), compact)
            inside.write(h5py.h5s.ALL, h5py.h5s.ALL, values)
            file["kind"] = np.dtype("f4")  # a type of its own
            file.create_dataset("of_a_kind", data=values, dtype=file["kind"])
            others = file.create_group("others", track_order=True)
            others["compound"] = np.zeros(2, dtype=[("a", "f4"), ("b", "i2", (2, 3)), ("c", [("d", "u1")])])
            others["enum"] = np.array([0, 1], dtype=h5py.enum_dtype({"NO": 0, "YES": 1}, basetype="u1"))
            others.create_dataset("lists", data=np.array([np.arange(2), np.arange(3)], dtype=object), dtype=h5py.vlen_dtype("i4"))
            others.create_dataset("texts", data=["a", "bc"], dtype=h5py.string_dtype())
            others["fixed"] = np.array([b"one", b"two"])
            others["reference"] = np.array([file["single"].ref], dtype=h5py.ref_dtype)
            others["opaque"] = np.void(b"bytes")
            others["empty"] = h5py.Empty("f4")
            others["scalar"] = np.float32(24)
            others["soft"] = h5py.SoftLink("/single")
            others["outside"] = h5py.ExternalLink("other.h5", "/x")
            for i in range(20):  # more than a header keeps in itself
                others.attrs[f"attribute_{i}"] = i


def names():
    """Groups of the oldest format, whose trees branch after four names, so that few of them make a tree of several levels."""
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    with open("/proc/self/maps") as maps:  # h5py does not have this function of the library that it uses
        library = next(line.split()[-1] for line in maps if re.search(r"/libhdf5[-.]", line))
    ctypes.CDLL(library).H5Pset_sym_k(ctypes.c_int64(creation.id), ctypes.c_uint(2), ctypes.c_uint(1))
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_V18)
    path = os.path.join(HERE, "names.h5").encode()
    with h5py.File(h5py.h5f.create(path, h5py.h5f.ACC_TRUNC, creation, access)) as file:
        file["group/number"] = np.float32(7)
        for i in range(40):
            file["group"][f"name_{i:02}"] = file["group/number"]
        for i in range(0, 40, 3):
            del file["group"][f"name_{i:02}"]
        file["group/soft"] = h5py.SoftLink("/group/number/of/a/soft/link")
        file["group"].create_dataset("outside", (4,), "u1", external=[("a_file_that_is_not_here", 0, 4)])
        file["empty"] = np.ones(2, dtype="f4")
        file.create_group("none")
        group = file.create_group("attributes")
        group.attrs["before"] = "text"
        group.attrs["pair"] = np.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")])
        group.attrs["nested"] = np.array([((1, [2, 3]), "x", True)],
                                         dtype=[("in", [("a", "u1"), ("list", "f4", 2)]), ("vlen", h5py.string_dtype()), ("yes", "?")])
        group.attrs["complex"] = np.complex64(1 + 2j)
        group.attrs["array"] = np.zeros((), dtype=[("rows", "f4", (2, 3))])
        group.attrs.create("lists", np.array([(np.arange(2, dtype="i4"), 1)], dtype=[("list", h5py.vlen_dtype("i4")), ("n", "i8")]))
        group.attrs["reference"] = group.ref
        group.attrs["opaque"] = np.void(b"bytes of no kind")
        group.attrs["kind"] = np.array(1, dtype=h5py.enum_dtype({"ONE": 1, "SEVENTEEN": 17}, basetype="i2"))
        group.attrs["behind"] = 7


types()
attributes()
refused()
chunks()
bits()
messages()
names()
