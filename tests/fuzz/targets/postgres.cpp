// PostgreSQL: both directions of a connection through the tracker (database_talk.hpp).
#include <wirelag/track/postgres/tracker.hpp>

#include "fuzz/database_talk.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wirelag::fuzz::talk<wirelag::PostgresTracker>({data, size});
  return 0;
}
