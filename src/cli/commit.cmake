# Writes OUTPUT, a header with the commit that is built, when it changes: a script of its own because it runs at
# every build. Without git, or outside a git tree of this project, the commit is empty.
set(commit "")
find_program(GIT git)
if(GIT AND EXISTS ${SOURCE_DIR}/.git)
  execute_process(COMMAND ${GIT} -C ${SOURCE_DIR} describe --always --abbrev=12 --exclude=* --dirty=+
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
file(CONFIGURE OUTPUT ${OUTPUT} CONTENT "#define NNTRAIN_COMMIT \"${commit}\"\n")
