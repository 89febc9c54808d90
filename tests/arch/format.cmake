# cmake -DFORMATTER= -DROOT= -P format.cmake: every source is as clang-format writes it.
file(GLOB_RECURSE sources ${ROOT}/src/*.h ${ROOT}/src/*.cpp ${ROOT}/include/*.h ${ROOT}/tests/*.h ${ROOT}/tests/*.cpp)
execute_process(COMMAND ${FORMATTER} --dry-run -Werror ${sources} WORKING_DIRECTORY ${ROOT} RESULT_VARIABLE result
                ERROR_VARIABLE complaints)
if(NOT result EQUAL 0)
  string(SUBSTRING "${complaints}" 0 4000 beginning)
  message(FATAL_ERROR "run ${FORMATTER} -i on the files named here:\n${beginning}")
endif()
