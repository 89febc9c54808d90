# The commit in the version, on a machine without git: what a clone's .git says in each of its forms.
# SCRIPT: src/cli/commit.cmake; SCRATCH: a folder of this test's own.
set(hash 0123456789abcdef0123456789abcdef01234567)
set(tree ${SCRATCH}/tree)

# expect(WHAT COMMIT): the header that SCRIPT writes for the tree as it is.
function(expect what commit)
  execute_process(COMMAND ${CMAKE_COMMAND} -DCMAKE_FIND_USE_SYSTEM_ENVIRONMENT_PATH=OFF -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF
                          -DSOURCE_DIR=${tree} -DOUTPUT=${SCRATCH}/commit.h -P ${SCRIPT} COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${SCRATCH}/commit.h header)
  if(NOT header STREQUAL "#define NNTRAIN_COMMIT \"${commit}\"\n")
    message(SEND_ERROR "${what}: expected \"${commit}\", and the header is: ${header}")
  endif()
endfunction()

file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${tree})
expect("no .git at all" "")
file(WRITE ${tree}/.git/HEAD "ref: refs/heads/some/branch\n")
expect("a branch without a commit" "")
file(WRITE ${tree}/.git/refs/heads/some/branch "${hash}\n")
expect("a branch" 0123456789ab)
file(REMOVE_RECURSE ${tree}/.git/refs)
file(WRITE ${tree}/.git/packed-refs "# pack-refs with: peeled\nffffffffffffffffffffffffffffffffffffffff refs/heads/other\n${hash} refs/heads/some/branch\n")
expect("packed branches" 0123456789ab)
file(WRITE ${tree}/.git/HEAD "fedcba9876543210fedcba9876543210fedcba98\n")
expect("no branch" fedcba987654)
