// One reader per file format.
#pragma once

#include <wirelag/ingest/record_reader.hpp>

namespace wirelag::ingest {

[[nodiscard]] std::unique_ptr<RecordReader> pcap_reader();
[[nodiscard]] std::unique_ptr<RecordReader> pcapng_reader();
[[nodiscard]] std::unique_ptr<RecordReader> snoop_reader();
[[nodiscard]] std::unique_ptr<RecordReader> netmon_reader();

}  // namespace wirelag::ingest
