#include <fmt/format.h>

#include <wirelag/advise/statement.hpp>

namespace wirelag {

std::string called(const DatabaseTransaction& t) {
  constexpr std::size_t kMaxText = 100;
  if (t.name_only) {
    return fmt::format("{} {} of {} (text not known)", t.operation.text(),
                       t.statement_name.empty() ? "(unnamed)" : t.statement_name.text(),
                       t.client.text());
  }
  const std::string_view text = t.fingerprint.empty() ? t.operation : t.fingerprint;
  return text.size() <= kMaxText ? std::string(text)
                                 : std::string(text.substr(0, kMaxText)) + " ...";
}

}  // namespace wirelag
