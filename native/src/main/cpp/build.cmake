# Run with `cmake -P`: fetches the pinned llama.cpp, builds the shim against its headers, and lays libraries, shim and a
# manifest of hashes into the folder that becomes part of the jar. Does nothing where nothing changed.
#   PIN     folder of package.json and package-lock.json
#   WORK    folder for all that is fetched and built
#   OUTPUT  folder that receives one folder for this platform
cmake_minimum_required(VERSION 3.22)

cmake_host_system_information(RESULT os QUERY OS_NAME)
cmake_host_system_information(RESULT cpu QUERY OS_PLATFORM)
if(NOT os STREQUAL "Linux")
  message(FATAL_ERROR "llama.cpp libraries are pinned for Linux only; this is ${os}")
endif()
if(cpu MATCHES "^(x86_64|amd64)$")
  set(platform linux-x64)
elseif(cpu MATCHES "^(aarch64|arm64)$")
  set(platform linux-arm64)
else()
  message(FATAL_ERROR "llama.cpp libraries are pinned for x86-64 and arm64 only; this is ${cpu}")
endif()

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "failed (${code}): ${ARGN}\n${text}")
  endif()
endfunction()

# --- the pinned release: source and libraries, hashes checked by npm
file(SHA256 "${PIN}/package-lock.json" lock)
file(SHA256 "${CMAKE_CURRENT_LIST_FILE}" recipe)
set(npm "${WORK}/npm")
set(stamp "")
if(EXISTS "${npm}/stamp")
  file(READ "${npm}/stamp" stamp)
endif()
if(NOT stamp STREQUAL "${lock} ${recipe}")
  message(STATUS "fetching the pinned llama.cpp")
  file(REMOVE_RECURSE "${npm}" "${WORK}/source" "${WORK}/shim")
  file(MAKE_DIRECTORY "${npm}")
  file(COPY "${PIN}/package.json" "${PIN}/package-lock.json" DESTINATION "${npm}")
  run("${CMAKE_COMMAND}" -E chdir "${npm}" npm ci --ignore-scripts --no-audit --no-fund)
  set(bundle "${npm}/node_modules/node-llama-cpp/llama/gitRelease.bundle")
  run(git clone -q --no-checkout "${bundle}" "${WORK}/source")
  run(git -C "${WORK}/source" checkout -q HEAD -- LICENSE common include ggml/include models/templates src/llama-grammar.h src/llama-ext.h src/llama-sampler.cpp
      ggml/src/ggml-backend-impl.h ggml/src/ggml-cpu/ggml-cpu.c ggml/src/ggml-cpu/ggml-cpu-impl.h ggml/src/ggml-cpu/common.h)
  file(WRITE "${npm}/stamp" "${lock} ${recipe}")
endif()
file(READ "${npm}/node_modules/node-llama-cpp/llama/llama.cpp.info.json" info)
string(JSON release GET "${info}" tag)
set(libraries "${npm}/node_modules/@node-llama-cpp/${platform}/bins/${platform}")
if(NOT IS_DIRECTORY "${libraries}")
  message(FATAL_ERROR "npm installed no libraries for ${platform}")
endif()

# --- the shim
if(NOT EXISTS "${WORK}/shim/CMakeCache.txt")
  run("${CMAKE_COMMAND}" -S "${CMAKE_CURRENT_LIST_DIR}" -B "${WORK}/shim" -DCMAKE_BUILD_TYPE=Release
      "-DLLAMA_SOURCE=${WORK}/source" "-DLLAMA_LIBRARIES=${libraries}" "-DLLAMA_RELEASE=${release}")
endif()
run("${CMAKE_COMMAND}" --build "${WORK}/shim")

# --- into the jar, in the order in which to open: a library after those that it needs
file(GLOB cpus RELATIVE "${libraries}" "${libraries}/libggml-cpu*.so")
list(SORT cpus)
set(names libchasqui-threads.so libggml-base.so ${cpus} "libggml.${release}.so" "libllama.${release}.so" libllama-common.so)
set(out "${OUTPUT}/${platform}")
file(MAKE_DIRECTORY "${out}")
set(manifest "")
foreach(name ${names} libchasqui-llama.so)
  set(from "${libraries}/${name}")
  if(name MATCHES "^libchasqui-")
    set(from "${WORK}/shim/${name}")
  endif()
  file(COPY_FILE "${from}" "${out}/${name}" ONLY_IF_DIFFERENT)
  file(SHA256 "${from}" hash)
  string(APPEND manifest "${hash} ${name}\n")
endforeach()
file(COPY_FILE "${WORK}/source/LICENSE" "${out}/LICENSE" ONLY_IF_DIFFERENT)
file(CONFIGURE OUTPUT "${out}/manifest" CONTENT "${manifest}")
