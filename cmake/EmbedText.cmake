# kvscope_embed_text(TARGET NAME FILES...): std::string_view NAME in namespace kvscope, the texts of the files one behind the
# other, compiled into TARGET. A header of the target's declares it. Runs itself as a script at build time.
if(CMAKE_SCRIPT_MODE_FILE)
  set(text)
  foreach(file ${files})
    file(READ ${file} content)
    string(APPEND text "${content}")
  endforeach()
  # A compiler need not take more than 65 536 bytes in one literal.
  string(LENGTH "${text}" length)
  set(literals)
  set(begin 0)
  while(begin LESS length)
    string(SUBSTRING "${text}" ${begin} 16000 part)
    string(APPEND literals "R\"embedded(${part})embedded\"\n")
    math(EXPR begin "${begin} + 16000")
  endwhile()
  file(WRITE ${output}
    "#include <string_view>\n\nnamespace kvscope {\nextern const std::string_view ${name};\nconst std::string_view ${name} =\n${literals};\n}\n")
  return()
endif()

set(KVSCOPE_EMBED_TEXT ${CMAKE_CURRENT_LIST_FILE})
function(kvscope_embed_text target name)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  add_custom_command(OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} "-Dfiles=${ARGN}" -Dname=${name} -Doutput=${output} -P ${KVSCOPE_EMBED_TEXT}
    DEPENDS ${ARGN} ${KVSCOPE_EMBED_TEXT} VERBATIM)
  target_sources(${target} PRIVATE ${output})
  set_source_files_properties(${output} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()
