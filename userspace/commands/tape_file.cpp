// SPDX-License-Identifier: Apache-2.0
#include "commands/tape_file.h"

#include "base/file.h"
#include "output/outlet.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

namespace acceptwatch {

namespace {

using GzFile = std::unique_ptr<gzFile_s, decltype([](gzFile file) { gzclose(file); })>;

} // namespace

struct TapeFile::State {
  std::string path;
  GzFile file;
  int error = 0; ///< errno of what could not be written; 0: all was
};

TapeFile::TapeFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
TapeFile::~TapeFile() = default;
TapeFile::TapeFile(TapeFile&&) noexcept = default;
TapeFile& TapeFile::operator=(TapeFile&&) noexcept = default;

Result<TapeFile> TapeFile::create(const std::string& path) {
  const auto what = fmt::format("cannot write a tape to {}", path);
  const UniqueFd directory{open_directory_of(path)};
  UniqueFd fd{directory ? openat(directory.get(), file_name_of(path).c_str(),
                                 O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0640)
                        : -1};
  if (!fd)
    return system_failure(what, errno,
                          "Check the path given to --tape and its directory's permissions.");
  if (auto mine = check_owner(fd, directory, path); !mine)
    return tl::unexpected{mine.error()};
  if (ftruncate(fd.get(), 0) != 0 && errno != EINVAL) // a device or a FIFO has no length
    return system_failure(what, errno);
  auto state = std::make_unique<State>();
  state->path = path;
  state->file.reset(gzdopen(fd.get(), "wb6"));
  if (!state->file)
    return system_failure(what, ENOMEM);
  static_cast<void>(fd.release());
  return TapeFile{std::move(state)};
}

void TapeFile::write(std::string_view bytes) {
  if (!state_->error && !bytes.empty() &&
      gzwrite(state_->file.get(), bytes.data(), static_cast<unsigned>(bytes.size())) == 0)
    state_->error = errno ? errno : EIO;
}

Result<void> TapeFile::close() {
  errno = 0;
  const int closed = gzclose(state_->file.release());
  if (!state_->error && closed != Z_OK)
    state_->error = errno ? errno : EIO;
  if (state_->error)
    return system_failure(fmt::format("the tape {} is not complete", state_->path), state_->error,
                          "It can be played up to there.");
  return {};
}

Result<std::string> read_tape_file(const std::string& path) {
  constexpr size_t most = 1UL << 30;
  const GzFile file{gzopen(path.c_str(), "rbe")};
  if (!file)
    return system_failure(fmt::format("cannot read the tape {}", path), errno);
  std::string bytes;
  std::array<char, 65536> chunk{};
  for (;;) {
    const int n = gzread(file.get(), chunk.data(), chunk.size());
    int code = Z_OK;
    if (n < 0)
      gzerror(file.get(), &code);
    if (code == Z_DATA_ERROR)
      return failure(fmt::format("the tape {} is damaged", path),
                     "It was changed since it was written: fetch it anew.");
    // Of a tape whose writer was killed the end is missing: what is there is played.
    if (n <= 0)
      return bytes;
    bytes.append(chunk.data(), static_cast<size_t>(n));
    if (bytes.size() > most)
      return failure(fmt::format("the tape {} is longer than 1 GiB", path));
  }
}

} // namespace acceptwatch
