// libpcap hands out one record at a time, in a buffer that the next record overwrites. A batch is
// therefore copied into an arena of fixed size; the record that no longer fits stays in libpcap's
// buffer and opens the next batch. The first record is fetched by open(), so that a file libpcap
// cannot read on from is refused before anything was promised.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>

#include <fmt/format.h>
#include <pcap/pcap.h>

#include <wirelag/ingest/capture_file.hpp>

#include "capture_header.hpp"
#include "pcapng_stream.hpp"

namespace wirelag {
namespace {

constexpr std::size_t kHeadBytes = 64 * 1024;       // a section header may carry long comments
constexpr std::size_t kReadBuffer = 256 * 1024;     // of stdio
constexpr std::size_t kLargestRecord = 256 * 1024;  // libpcap refuses longer ones
constexpr std::size_t kArenaBytes = 4 * kLargestRecord;
/// A time beyond this (the year 2116) is damage; clamped, so that adding a timeout cannot overflow.
constexpr TimeNs kLatestNs = TimeNs{1} << 62;

struct ClosePcap {
  void operator()(pcap_t* p) const { pcap_close(p); }
};
std::optional<LinkType> link_type_of(int dlt) {
  constexpr int kRawOnBsdOs = 14;  // DLT_RAW of BSD/OS
  switch (dlt) {
    case DLT_EN10MB: return LinkType::ethernet;
    case DLT_LINUX_SLL: return LinkType::linux_sll;
    case DLT_LINUX_SLL2: return LinkType::linux_sll2;
    case DLT_RAW:
    case kRawOnBsdOs:
    case 101:  // LINKTYPE_RAW
    case DLT_IPV4:
    case DLT_IPV6: return LinkType::raw_ip;
    case DLT_NULL: return LinkType::bsd_null;
    case DLT_LOOP: return LinkType::bsd_loop;
    default: return std::nullopt;
  }
}

std::string describe_link_type(int dlt) {
  const char* symbol = pcap_datalink_val_to_name(dlt);
  const char* description = pcap_datalink_val_to_description(dlt);
  if (symbol == nullptr) return fmt::format("number {}", dlt);
  return fmt::format("{} ({})", symbol, description != nullptr ? description : "no description");
}

TimeNs time_of(const timeval& ts) {  // tv_usec holds nanoseconds: NANO precision was asked for
  if (ts.tv_sec < 0) return 0;
  if (ts.tv_sec >= kLatestNs / kSecondNs) return kLatestNs;
  const bool damaged = ts.tv_usec < 0 || ts.tv_usec > kSecondNs;
  return ts.tv_sec * kSecondNs + (damaged ? 0 : ts.tv_usec);
}

/// The file, open and known to be a regular file with something in it.
Result<FileHandle> open_file(const std::string& path, CaptureInfo& info) {
  // Not blocking: opening a pipe must not wait for its writer. It means nothing for a file.
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  FileHandle file(fd >= 0 ? fdopen(fd, "rb") : nullptr);
  if (file == nullptr) {
    if (errno == ENOENT) return Error{fmt::format("capture file '{}' does not exist", path)};
    return Error{fmt::format("capture file '{}' cannot be read: {}", path, std::strerror(errno))};
  }
  struct stat status {};
  if (fstat(fileno(file.get()), &status) != 0) {
    return Error{fmt::format("capture file '{}' cannot be read: {}", path, std::strerror(errno))};
  }
  if (S_ISDIR(status.st_mode)) {
    return Error{fmt::format("'{}' is a directory: name a capture file in it", path)};
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{
        fmt::format("'{}' is not a regular file: write the capture to a file first", path)};
  }
  if (status.st_size == 0) return Error{fmt::format("capture file '{}' is empty (0 bytes)", path)};
  info.file_bytes = static_cast<std::uint64_t>(status.st_size);
  return file;
}

Error header_error(const std::string& path, const CaptureHeader& header, const char* pcap_error) {
  if (!header.packed_by.empty()) {
    return {fmt::format("'{}' is compressed with {}: unpack it first", path, header.packed_by)};
  }
  if (header.format.empty()) {
    return {fmt::format("'{}' is not a capture file: it starts neither like pcap nor like pcapng",
                        path)};
  }
  return {fmt::format("'{}' has a damaged {} header: {}", path, header.format, pcap_error)};
}

}  // namespace

struct CaptureFile::State {
  CaptureInfo info;
  std::unique_ptr<PcapngStream> pcapng;  ///< between file and libpcap, null for pcap
  std::unique_ptr<pcap_t, ClosePcap> pcap;
  std::unique_ptr<std::uint8_t[]> arena = std::make_unique<std::uint8_t[]>(kArenaBytes);
  const pcap_pkthdr* header = nullptr;  ///< record fetched and not yet handed out, null = none
  const u_char* bytes = nullptr;        ///< its bytes
  LinkType link = LinkType::ethernet;   ///< its link type
  FrameNumber fetched = 0;
  std::optional<int> unsupported;  ///< link type of the frame at which reading stopped
  std::string cut_short;

  Status start_libpcap(FileHandle file, const CaptureHeader& format);
  void fetch();
  bool accept_link_type();
  void note_end(std::string_view pcap_error);
  [[nodiscard]] std::size_t captured() const {
    return std::min<std::size_t>(header->caplen, kLargestRecord);
  }
  [[nodiscard]] Frame copy_to(std::uint8_t* at) const;
};

/// libpcap closes what it reads from, but only when it has taken it.
Status CaptureFile::State::start_libpcap(FileHandle file, const CaptureHeader& format) {
  if (format.format == "pcapng") {
    pcapng = std::make_unique<PcapngStream>(std::move(file));
    file.reset(pcapng->open());
  }
  char error[PCAP_ERRBUF_SIZE] = "";
  if (file != nullptr) {
    pcap.reset(
        pcap_fopen_offline_with_tstamp_precision(file.get(), PCAP_TSTAMP_PRECISION_NANO, error));
  }
  if (pcap == nullptr) return header_error(info.path, format, error);
  (void)file.release();
  return Done{};
}

/// The next record into `header`, null at the end; why it ended goes into `cut_short`.
void CaptureFile::State::fetch() {
  header = nullptr;
  if (!cut_short.empty()) return;
  pcap_pkthdr* record = nullptr;
  const int rc = pcap_next_ex(pcap.get(), &record, &bytes);
  if (rc == PCAP_ERROR) return note_end(pcap_geterr(pcap.get()));
  if (rc != 1 || !accept_link_type()) return;
  header = record;
  ++fetched;
}

bool CaptureFile::State::accept_link_type() {
  const int number =
      pcapng != nullptr ? pcapng->next_link_type().value_or(UINT16_MAX) : pcap_datalink(pcap.get());
  const std::optional<LinkType> known = link_type_of(number);
  if (!known) {
    unsupported = number;
    cut_short = fmt::format("frame {} has link type {}, which is not supported: read up to it",
                            fetched + 1, describe_link_type(number));
    return false;
  }
  link = *known;
  std::vector<LinkType>& seen = info.link_types;
  if (std::find(seen.begin(), seen.end(), link) == seen.end()) seen.push_back(link);
  return true;
}

void CaptureFile::State::note_end(std::string_view pcap_error) {
  if (!pcap_error.starts_with("truncated")) {
    cut_short = fmt::format("the file is damaged after frame {}: {}", fetched, pcap_error);
  } else if (pcapng != nullptr) {  // other blocks follow the last frame: no number can be given
    cut_short = fmt::format("the file ends inside the block after frame {}", fetched);
  } else {
    cut_short = fmt::format("the file ends inside frame {}", fetched + 1);
  }
}

Frame CaptureFile::State::copy_to(std::uint8_t* at) const {
  std::memcpy(at, bytes, captured());
  Frame frame;
  frame.bytes = {at, captured()};
  frame.wire_length = std::max(header->len, header->caplen);
  frame.time_ns = time_of(header->ts);
  frame.number = fetched;
  frame.link = link;
  return frame;
}

Result<CaptureFile> CaptureFile::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->info.path = path;
  state->info.name = path.substr(path.find_last_of('/') + 1);

  Result<FileHandle> file = open_file(path, state->info);
  if (!file) return file.take_error();
  std::setvbuf(file->get(), nullptr, _IOFBF, kReadBuffer);

  std::vector<std::uint8_t> head(kHeadBytes);
  head.resize(std::fread(head.data(), 1, head.size(), file->get()));
  std::rewind(file->get());
  const CaptureHeader header = look_at_header(head);

  if (Status started = state->start_libpcap(std::move(*file), header); !started) {
    return started.take_error();
  }
  state->info.format = header.format.empty() ? "pcap" : header.format;
  state->info.nanoseconds = header.nanoseconds;
  state->info.snaplen = state->pcapng != nullptr
                            ? state->pcapng->snaplen()
                            : static_cast<std::uint32_t>(pcap_snapshot(state->pcap.get()));

  state->fetch();
  if (state->fetched > 0) return CaptureFile(std::move(state));
  // Without a frame to tell, the header does.
  const int number = state->unsupported.value_or(pcap_datalink(state->pcap.get()));
  const std::optional<LinkType> link = link_type_of(number);
  if (!link) {
    return Error{fmt::format(
        "'{}' has link type {}, which is not supported: wirelag reads Ethernet, Linux cooked v1 "
        "and v2, raw IP, BSD null and loopback",
        path, describe_link_type(number))};
  }
  state->info.link_types = {*link};
  return CaptureFile(std::move(state));
}

CaptureFile::CaptureFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
CaptureFile::CaptureFile(CaptureFile&&) noexcept = default;
CaptureFile& CaptureFile::operator=(CaptureFile&&) noexcept = default;
CaptureFile::~CaptureFile() = default;

const CaptureInfo& CaptureFile::info() const { return state_->info; }

std::size_t CaptureFile::read(std::span<Frame> out) {
  State& s = *state_;
  std::size_t count = 0;
  std::size_t used = 0;
  while (count < out.size() && s.header != nullptr && used + s.captured() <= kArenaBytes) {
    out[count] = s.copy_to(s.arena.get() + used);
    used += out[count++].bytes.size();
    s.fetch();
  }
  return count;
}

const std::string& CaptureFile::cut_short() const { return state_->cut_short; }

std::uint64_t CaptureFile::position_bytes() const {
  if (state_->pcapng != nullptr) return state_->pcapng->position_bytes();
  const off_t at = ftello(pcap_file(state_->pcap.get()));
  return at < 0 ? state_->info.file_bytes : static_cast<std::uint64_t>(at);
}

}  // namespace wirelag
