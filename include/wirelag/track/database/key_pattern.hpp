// The pattern of a key of Redis or memcached: the key without the part that varies.
//
//   user:1000:name       -> user:?:name        a part with a digit in it
//   cart:9f-c2d1e0f8     -> cart:?-?
//   wanxiangbluesky...   -> ?                   longer than 24 characters
//
// Parts are what lies between separators: every printable character that is neither letter, digit
// nor underscore. What is not printable makes its part vary. A key without any such part stays as
// it is.
#pragma once

#include <wirelag/track/database/text.hpp>

namespace wirelag {

/// `key` may be only the beginning of the key: `cut` then makes its last part vary.
void append_key_pattern(BoundedText<512>& out, std::string_view key, bool cut);

}  // namespace wirelag
