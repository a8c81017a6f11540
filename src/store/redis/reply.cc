#include "store/redis/reply.h"

#include <hiredis/hiredis.h>

#include <utility>

#include "base/check.h"

namespace stateway::store::redis {
namespace {

// hiredis builds the tree by calling these; an element is made in its place in the parent's vector, so that
// only the root is ever allocated, and freed, by itself.
Reply* place(const redisReadTask* task) {
  if (task->parent == nullptr) return std::make_unique<Reply>().release();
  return &static_cast<Reply*>(task->parent->obj)->elements[static_cast<std::size_t>(task->idx)];
}

void* create_string(const redisReadTask* task, char* octets, std::size_t size) {
  Reply* const reply = place(task);
  reply->kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::error
                : task->type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                   : Reply::Kind::text;
  reply->text.assign(octets, size);
  return reply;
}

void* create_array(const redisReadTask* task, int elements) {
  const std::size_t size = elements > 0 ? static_cast<std::size_t>(elements) : 0;
  std::size_t& left = *static_cast<std::size_t*>(task->privdata);
  if (size > left) return nullptr;  // gives up, before it takes memory
  left -= size;
  Reply* const reply = place(task);
  reply->kind = Reply::Kind::array;
  reply->elements.resize(size);
  return reply;
}

void* create_integer(const redisReadTask* task, long long value) {
  Reply* const reply = place(task);
  reply->kind = Reply::Kind::integer;
  reply->integer = value;
  return reply;
}

void* create_nil(const redisReadTask* task) { return place(task); }

void free_root(void* reply) { const std::unique_ptr<Reply> owned(static_cast<Reply*>(reply)); }

redisReplyObjectFunctions functions{create_string, create_array, create_integer, create_nil, free_root};

}  // namespace

std::string format_command(std::span<const std::string_view> words) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const std::string_view word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* octets = nullptr;
  const int size =
      redisFormatCommandArgv(&octets, static_cast<int>(words.size()), starts.data(), sizes.data());
  CHECK(size > 0);  // it fails only without memory
  std::string command(octets, static_cast<std::size_t>(size));
  redisFreeCommand(octets);
  return command;
}

void ReplyReader::Closer::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() : reader_(redisReaderCreateWithFunctions(&functions)) {
  CHECK(reader_ != nullptr);
  reader_->privdata = &elements_left_;
}

ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::string_view octets) {
  (void)redisReaderFeed(reader_.get(), octets.data(), octets.size());  // a failure is kept, next() tells
}

Result<std::optional<Reply>> ReplyReader::next() {
  void* root = nullptr;
  if (redisReaderGetReply(reader_.get(), &root) != REDIS_OK)
    return fail(Code::io, Side::store, std::string("not RESP2: ") + reader_->errstr);
  if (root == nullptr) {
    if (reader_->len - reader_->pos > kBytesMax) return fail(Code::io, Side::store, "a reply is too large");
    return std::optional<Reply>();
  }
  const std::unique_ptr<Reply> reply(static_cast<Reply*>(root));
  elements_left_ = kElementsMax;
  return std::optional<Reply>(std::move(*reply));
}

}  // namespace stateway::store::redis
