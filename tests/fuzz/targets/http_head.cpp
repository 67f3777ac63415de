// The lines of an HTTP/1 head. What is found lies within the line.
#include <wirelag/track/http/head.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  const std::string_view line = as_text({data, size});
  const auto within = [line](std::string_view part) {
    return part.empty() ||
           (part.data() >= line.data() && part.data() + part.size() <= line.data() + line.size());
  };
  if (const auto request = parse_request_line(line)) {
    WIRELAG_REQUIRE(!request->method.empty() && request->method.size() <= 32);
    WIRELAG_REQUIRE(within(request->method) && within(request->target));
    WIRELAG_REQUIRE(may_begin_message(line, Direction::c2s));
  }
  if (const auto cut = parse_cut_request_line(line)) {
    WIRELAG_REQUIRE(is_common_method(cut->method) && within(cut->target));
  }
  if (const auto status = parse_status_line(line)) {
    WIRELAG_REQUIRE(status->status >= 1 && status->status <= 999);
    WIRELAG_REQUIRE(may_begin_message(line, Direction::s2c));
  }
  if (const auto field = parse_field_line(line)) WIRELAG_REQUIRE(within(field->value));
  WIRELAG_REQUIRE(within(trim_blanks(line)) && within(last_list_element(line)));
  (void)parse_content_length(line);
  (void)list_has(line, "close");
  return 0;
}
