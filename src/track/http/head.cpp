#include <algorithm>
#include <array>

#include <wirelag/track/http/head.hpp>

namespace wirelag {
namespace {

constexpr std::size_t kLongestMethod = 32;

/// tchar of RFC 9110 section 5.6.2.
constexpr std::array<bool, 256> token_table() {
  std::array<bool, 256> t{};
  for (int c = '0'; c <= '9'; ++c) t[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) t[static_cast<std::size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) t[static_cast<std::size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) t[static_cast<std::uint8_t>(c)] = true;
  return t;
}
constexpr std::array<bool, 256> kToken = token_table();

bool is_token(char c) { return kToken[static_cast<std::uint8_t>(c)]; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

/// Whether the shorter of the two is a prefix of the other.
bool agree_so_far(std::string_view text, std::string_view whole) {
  const std::size_t n = std::min(text.size(), whole.size());
  return text.substr(0, n) == whole.substr(0, n);
}

/// Where the first blank is, and the last one: npos where there is none.
std::size_t first_blank(std::string_view text) {
  const auto at = std::find_if(text.begin(), text.end(), is_blank);
  return at != text.end() ? static_cast<std::size_t>(at - text.begin()) : std::string_view::npos;
}
std::size_t last_blank(std::string_view text) {
  std::size_t n = text.size();
  while (n > 0 && !is_blank(text[n - 1])) --n;
  return n > 0 ? n - 1 : std::string_view::npos;
}

std::size_t token_length(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && is_token(text[n])) ++n;
  return n;
}

struct Version {
  std::uint8_t major = 1;
  std::uint8_t minor = 0;
};

/// "HTTP/1.1" and nothing else: upper case (section 2.3), one digit each, the minor one may be
/// missing.
std::optional<Version> parse_version(std::string_view text) {
  constexpr std::string_view kName = "HTTP/";
  if (!text.starts_with(kName) || text.size() == kName.size()) return std::nullopt;
  text.remove_prefix(kName.size());
  if (!is_digit(text[0])) return std::nullopt;
  Version v{static_cast<std::uint8_t>(text[0] - '0'), 0};
  if (text.size() == 1) return v;
  if (text.size() < 3 || text[1] != '.' || !is_digit(text[2])) return std::nullopt;
  v.minor = static_cast<std::uint8_t>(text[2] - '0');
  return text.size() == 3 ? std::optional(v) : std::nullopt;
}

/// Method and the blank-trimmed rest of the line.
std::optional<HttpRequestLine> split_method(std::string_view line) {
  const std::size_t n = token_length(line);
  if (n == 0 || n > kLongestMethod || n == line.size() || !is_blank(line[n])) return std::nullopt;
  HttpRequestLine out;
  out.method = line.substr(0, n);
  out.target = trim_blanks(line.substr(n));
  return out;
}

/// What may stand where the target should when the version is missing.
bool begins_like_target(std::string_view text) {
  return text.starts_with('/') || text.starts_with("http://") || text.starts_with("HTTP/1.");
}

HttpField field_named(std::string_view name) {
  switch (name.size()) {
    case 4:
      if (equal_ignoring_case(name, "host")) return HttpField::host;
      break;
    case 7:
      if (equal_ignoring_case(name, "referer")) return HttpField::referer;
      break;
    case 8:
      if (equal_ignoring_case(name, "location")) return HttpField::location;
      break;
    case 10:
      if (equal_ignoring_case(name, "connection")) return HttpField::connection;
      break;
    case 12:
      if (equal_ignoring_case(name, "content-type")) return HttpField::content_type;
      break;
    case 14:
      if (equal_ignoring_case(name, "content-length")) return HttpField::content_length;
      break;
    case 17:
      if (equal_ignoring_case(name, "transfer-encoding")) return HttpField::transfer_encoding;
      break;
    default: break;
  }
  return HttpField::other;
}

}  // namespace

bool is_common_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods = {"GET",    "POST",    "HEAD", "PUT",
                                                        "DELETE", "OPTIONS", "PATCH"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool equal_ignoring_case(std::string_view text, std::string_view lower_case) {
  return std::equal(text.begin(), text.end(), lower_case.begin(), lower_case.end(),
                    [](char a, char b) { return lower(a) == b; });
}

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<HttpRequestLine> parse_request_line(std::string_view line) {
  auto out = split_method(line);
  if (!out) return std::nullopt;
  const std::size_t blank = last_blank(out->target);
  const auto version =
      blank == std::string_view::npos ? std::nullopt : parse_version(out->target.substr(blank + 1));
  if (!version) {
    out->minor = 0;
    const bool plain = blank == std::string_view::npos && begins_like_target(out->target);
    return plain && is_common_method(out->method) ? out : std::nullopt;
  }
  out->target = trim_blanks(out->target.substr(0, blank));
  out->major = version->major;
  out->minor = version->minor;
  return out;
}

std::optional<HttpRequestLine> parse_cut_request_line(std::string_view line) {
  auto out = split_method(line);
  if (!out || !is_common_method(out->method)) return std::nullopt;
  const std::size_t blank = last_blank(out->target);
  const std::string_view behind =
      blank == std::string_view::npos ? std::string_view() : out->target.substr(blank + 1);
  if (!behind.empty() && agree_so_far(behind, "HTTP/1.")) {
    out->target = trim_blanks(out->target.substr(0, blank));
  }
  return out;
}

std::optional<HttpStatusLine> parse_status_line(std::string_view line) {
  const std::size_t blank = first_blank(line);
  if (blank == std::string_view::npos) return std::nullopt;
  HttpStatusLine out{0, 1, 0};
  if (const auto version = parse_version(line.substr(0, blank))) {
    out.major = version->major;
    out.minor = version->minor;
  } else if (line.substr(0, blank) != "ICY") {
    return std::nullopt;
  }
  line = trim_blanks(line.substr(blank));
  std::size_t digits = 0;
  for (; digits < line.size() && is_digit(line[digits]); ++digits) {
    if (digits == 3) return std::nullopt;
    out.status = static_cast<std::uint16_t>(out.status * 10 + (line[digits] - '0'));
  }
  return out.status > 0 ? std::optional(out) : std::nullopt;
}

bool may_begin_message(std::string_view prefix, Direction direction) {
  if (direction == Direction::s2c) {
    return agree_so_far(prefix, "HTTP/") || agree_so_far(prefix, "ICY ");
  }
  const std::size_t n = token_length(prefix.substr(0, kLongestMethod + 1));
  if (n > kLongestMethod) return false;
  return n == prefix.size() || (n > 0 && is_blank(prefix[n]));
}

std::optional<HttpFieldLine> parse_field_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return HttpFieldLine{field_named(trim_blanks(line.substr(0, colon))),
                       trim_blanks(line.substr(colon + 1))};
}

std::optional<std::uint64_t> parse_content_length(std::string_view value) {
  constexpr std::uint64_t kLargest = 1ULL << 62;
  std::uint64_t n = 0;
  std::size_t digits = 0;
  for (; digits < value.size() && is_digit(value[digits]); ++digits) {
    n = n * 10 + static_cast<std::uint64_t>(value[digits] - '0');
    if (n > kLargest) return std::nullopt;
  }
  if (digits == 0) return std::nullopt;
  const std::string_view after = trim_blanks(value.substr(digits));
  return after.empty() || after.front() == ',' ? std::optional(n) : std::nullopt;
}

std::string_view last_list_element(std::string_view list) {
  list = trim_blanks(list);
  while (!list.empty() && (list.back() == ',' || is_blank(list.back()))) list.remove_suffix(1);
  const std::size_t comma = list.rfind(',');
  if (comma != std::string_view::npos) list.remove_prefix(comma + 1);
  return trim_blanks(list.substr(0, list.find(';')));
}

bool list_has(std::string_view list, std::string_view lower_case) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (equal_ignoring_case(trim_blanks(list.substr(0, comma)), lower_case)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace wirelag
