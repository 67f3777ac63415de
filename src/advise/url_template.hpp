// Requests of one kind: their URLs differ in numbers and ids only. Private to advise; pure.
#pragma once

#include <string>
#include <string_view>

namespace wirelag {

/// The path of a request target with * for each segment that is a number or an id, without the query:
/// "/users/42/cart?x=1" -> "/users/*/cart".
[[nodiscard]] std::string url_template(std::string_view target);

}  // namespace wirelag
