# find_package(nntrain): nntrain::nntrain, and what it links.
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
  pkg_check_modules(OPENBLAS IMPORTED_TARGET openblas)  # another CBLAS may have taken its place
endif()
if(NOT TARGET PkgConfig::LIBZIP)
  pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/nntrain-targets.cmake")
