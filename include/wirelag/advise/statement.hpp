// What a request to a database or cache is called. Control thread; pure.
#pragma once

#include <string>

#include <wirelag/track/transaction.hpp>

namespace wirelag {

/// "GET user:?", "select * from users where id=?"; the operation when there is no fingerprint. A
/// prepared statement whose text was not captured is told by its name and its connection: "SELECT
/// s1 of 10.0.0.1:40000 (text not known)". At most 100 characters of the statement.
[[nodiscard]] std::string called(const DatabaseTransaction& t);

}  // namespace wirelag
