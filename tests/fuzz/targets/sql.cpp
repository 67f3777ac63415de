// The fingerprint of an SQL statement: bounded, the same wherever the pieces end, and nothing of a
// string or a number is left in it.
//   u8 dialect (bit 0), u8 where the statement is cut in two, the statement
#include <wirelag/track/database/sql.hpp>

#include "fuzz/input.hpp"
#include "hostile/require.hpp"

namespace wirelag {
namespace {

std::string_view fingerprint(Fingerprint& out, SqlFingerprint::Dialect dialect,
                             std::initializer_list<std::string_view> pieces) {
  SqlFingerprint sql(dialect);
  for (const std::string_view piece : pieces) sql.feed(out, piece);
  sql.end(out);
  return out.view();
}

}  // namespace
}  // namespace wirelag

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wirelag;
  fuzz::Input input(data, size);
  const auto dialect = static_cast<SqlFingerprint::Dialect>(input.u8() & 1U);
  const std::size_t wanted = input.u8();
  const std::string_view statement = as_text(input.rest());
  const std::size_t cut = std::min(wanted, statement.size());
  Fingerprint whole, pieces;
  const std::string_view one = fingerprint(whole, dialect, {statement});
  const std::string_view two =
      fingerprint(pieces, dialect, {statement.substr(0, cut), statement.substr(cut)});
  WIRELAG_REQUIRE(one == two && whole.cut() == pieces.cut());
  WIRELAG_REQUIRE(one.size() <= kFingerprintBytes);
  // A value would begin with a digit or a quote where no name has begun.
  char before = ' ';
  for (const char c : one) {
    const bool within = is_letter(before) || is_digit(before) || before == '_' || before == '$' ||
                        static_cast<unsigned char>(before) >= 0x80;
    if (!whole.cut() && one.find_first_of("\"`") == std::string_view::npos) {
      WIRELAG_REQUIRE(c != '\'' && (within || !is_digit(c)));
    }
    before = c;
  }
  return 0;
}
