# find_package(nntrain): nntrain::core .. nntrain::train, one target a floor, and what they link.
include(CMakeFindDependencyMacro)
enable_language(C)  # MPI and HDF5 are looked for as C libraries
find_dependency(MPI COMPONENTS C)
find_dependency(nlohmann_json)
find_dependency(fmt)
find_dependency(ZLIB)
find_dependency(OpenSSL COMPONENTS Crypto)
find_dependency(Protobuf)
find_dependency(PkgConfig)
if(NOT TARGET PkgConfig::OPENBLAS)
  pkg_check_modules(OPENBLAS REQUIRED IMPORTED_TARGET openblas)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/nntrain-targets.cmake")
