// reports FOLDER CAPTURE... : FOLDER/<capture's name>.json for each capture, from one process, as
// `wirelag replay --format json` gives it. A capture that is refused: FOLDER/<name>.refused with the
// sentence.
#include <filesystem>
#include <fstream>

#include "run.hpp"

int main(int argc, char** argv) {
  using namespace wirelag;
  for (int i = 2; i < argc; ++i) {
    const std::string name = std::filesystem::path(argv[i]).filename();
    const std::string out = std::string(argv[1]) + "/" + name;
    CaptureBlock block;
    Result<properties::Recording> recording = properties::load(argv[i], block);
    if (recording) {
      std::ofstream(out + ".json") << properties::report_of(*recording, block).dump();
    } else {
      std::ofstream(out + ".refused") << recording.error() << "\n";
    }
  }
  return argc > 2 ? 0 : 2;
}
