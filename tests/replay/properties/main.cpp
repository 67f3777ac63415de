// properties [--only PROPERTY] [--known FILE] CAPTURE... : every property on every capture; exit 1
// when one is violated. A capture that cannot be read is left out (what the program says then:
// command-line tests). A folder stands for the files in it; one that is not there is skipped, and it
// is said.
//
// FILE lists violations that are known and wait for their repair, a line "CAPTURE: PROPERTY" each;
// one that is no longer violated must be taken off the list.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include "properties.hpp"

namespace {

using namespace wirelag;
using namespace wirelag::properties;

struct Tally {
  std::size_t checked = 0;
  std::size_t violated = 0;  ///< known ones are not counted
  double seconds = 0;
};

std::vector<std::string> captures_of(const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  for (const std::string& argument : arguments) {
    if (std::filesystem::is_directory(argument)) {
      for (const auto& entry : std::filesystem::directory_iterator(argument)) {
        if (entry.is_regular_file()) out.push_back(entry.path());
      }
    } else if (std::filesystem::exists(argument)) {
      out.push_back(argument);
    } else {
      std::cout << argument << ": not there, skipped\n";
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

bool one_sentence(const std::string& text) {
  return !text.empty() && text.find('\n') == std::string::npos;
}

/// False when the file was refused.
bool read(const std::string& path, Subject& subject, bool& good) {
  Result<Recording> recording = load(path, subject.block);
  if (!recording) {
    if (one_sentence(recording.error())) return false;
    std::cout << "REFUSED " << path << ", but not in one sentence: " << recording.error() << "\n";
    good = false;
    return false;
  }
  subject.path = path;
  subject.recording = std::move(*recording);
  subject.report = report_of(subject.recording, subject.block);
  subject.flat = flatten(subject.recording);
  if (subject.flat) subject.flat_report = report_of(frames_of(*subject.flat), subject.block);
  return true;
}

class Known {
 public:
  explicit Known(const std::string& path) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      if (!line.empty() && line[0] != '#') lines_.insert(line);
    }
  }
  /// Once per line.
  [[nodiscard]] bool take(const std::string& violation) { return lines_.erase(violation) > 0; }
  [[nodiscard]] bool has(const std::string& violation) const { return lines_.contains(violation); }

 private:
  std::set<std::string> lines_;
};

void check(const Property& property, const Subject& subject, Known& known_ones, Tally& tally) {
  if (property.needs_flat && !subject.flat) return;
  const auto begin = std::chrono::steady_clock::now();
  Problems problems;
  property.check(subject, problems);
  ++tally.checked;
  tally.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::string what =
      std::filesystem::path(subject.path).filename().string() + ": " + std::string(property.name);
  if (problems.empty() && known_ones.has(what))
    problems.emplace_back("holds: take it off the list");
  else if (known_ones.take(what))
    return;
  if (problems.empty()) return;
  ++tally.violated;
  std::cout << "VIOLATED " << what << "\n";
  for (const std::string& problem : problems) std::cout << "    " << problem.substr(0, 300) << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto option = [&](const char* name) {
    std::string value;
    if (arguments.size() > 1 && arguments[0] == name) {
      value = arguments[1];
      arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    return value;
  };
  const std::string only = option("--only");
  Known known_ones(option("--known"));
  std::vector<Property> all(identities().begin(), identities().end());
  all.insert(all.end(), invariances().begin(), invariances().end());
  std::erase_if(all, [&](const Property& p) { return !only.empty() && p.name != only; });

  std::vector<Tally> tallies(all.size());
  std::size_t captures = 0, refused = 0;
  bool good = true;
  for (const std::string& path : captures_of(arguments)) {
    Subject subject;
    ++captures;
    if (!read(path, subject, good)) {
      ++refused;
      continue;
    }
    for (std::size_t i = 0; i < all.size(); ++i) check(all[i], subject, known_ones, tallies[i]);
  }
  good = good && captures > refused;
  std::cout << captures << " captures, " << refused << " of them refused\n";
  for (std::size_t i = 0; i < all.size(); ++i) {
    std::cout << all[i].name << ": " << tallies[i].checked << " checked, " << tallies[i].violated
              << " violated, " << tallies[i].seconds << " s: " << all[i].says << "\n";
    good = good && tallies[i].violated == 0 && (tallies[i].checked > 0 || !only.empty());
  }
  return good ? 0 : 1;
}
