#pragma once
// Private to the floor: an ONNX graph, op by op. Everything is float32; batches are of any size.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/shape.h"

namespace nntrain::checkpoint {

class OnnxGraph {
 public:
  struct Attribute {
    std::string name;
    enum class Kind { kFloat, kInt, kInts } kind;
    float number = 0;
    std::vector<std::int64_t> integers;
  };
  static Attribute number(const std::string& name, double value);
  static Attribute integer(const std::string& name, std::int64_t value);
  static Attribute integers(const std::string& name, std::vector<std::int64_t> values);

  OnnxGraph(const std::string& name, const Shape& input);
  ~OnnxGraph();
  OnnxGraph(const OnnxGraph&) = delete;
  OnnxGraph& operator=(const OnnxGraph&) = delete;

  static constexpr const char* kInput = "input";

  /// Adds a node; returns the name of its output. The names of nodes follow `layer`.
  std::string add(const std::string& op, const std::vector<std::string>& inputs,
                  const std::vector<Attribute>& attributes = {});
  std::vector<std::string> add_several(const std::string& op, const std::vector<std::string>& inputs,
                                       int outputs, const std::vector<Attribute>& attributes);
  std::string constant(const Shape& shape, const std::vector<float>& values);
  std::string constant(double value) { return constant(Shape{}, {static_cast<float>(value)}); }
  std::string indices(const std::vector<std::int64_t>& values);
  enum class Type { kFloat = 1, kInt64 = 7 };  ///< TensorProto.DataType
  std::string cast(const std::string& input, Type type) {
    return add("Cast", {input}, {integer("to", static_cast<std::int64_t>(type))});
  }
  void begin_layer(const std::string& layer) { layer_ = layer; }

  /// The file's bytes, with `result` as the output of shape `output`. Throws InputError above 2 GB,
  /// protobuf's limit.
  std::string bytes(const std::string& result, const Shape& output);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> impl_;
  std::string layer_;
  int count_ = 0;
};

}  // namespace nntrain::checkpoint
