# Writes OUTPUT, a C++ file that defines demo::page() from page.html in DIRECTORY. Style sheets and scripts that the page
# names are put into it, so that it needs no other file.
#
#     cmake -D DIRECTORY=examples/demo -D OUTPUT=page.cpp -P embed.cmake

file(READ "${DIRECTORY}/page.html" page)

function(put_in pattern before after)
    while(page MATCHES "${pattern}")
        set(tag "${CMAKE_MATCH_0}")
        file(READ "${DIRECTORY}/${CMAKE_MATCH_1}" text)
        string(REPLACE "${tag}" "${before}\n${text}${after}" page "${page}")
    endwhile()
    set(page "${page}" PARENT_SCOPE)
endfunction()

put_in("<link rel=\"stylesheet\" href=\"([a-z]+\\.css)\">" "<style>" "</style>")
put_in("<script src=\"([a-z]+\\.js)\"></script>" "<script>" "</script>")

# As numbers: a string literal of this length is beyond what every compiler takes.
file(WRITE "${OUTPUT}.html" "${page}")
file(READ "${OUTPUT}.html" bytes HEX)
file(REMOVE "${OUTPUT}.html")
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
file(WRITE "${OUTPUT}" "#include \"page.hpp\"

namespace demo {

namespace {

constexpr unsigned char bytes[] = {${bytes}};

}  // namespace

std::string_view page() noexcept { return {reinterpret_cast<const char*>(bytes), sizeof bytes}; }

}  // namespace demo
")
