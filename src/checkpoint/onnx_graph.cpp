#include "checkpoint/onnx_graph.h"

#include <onnx.pb.h>

#include <span>

#include "core/error.h"

namespace nntrain::checkpoint {

namespace {

constexpr int kFloat = static_cast<int>(OnnxGraph::Type::kFloat);
constexpr int kInt64 = static_cast<int>(OnnxGraph::Type::kInt64);
constexpr std::int64_t kIrVersion = 8, kOperators = 17;

void describe(nntrain_onnx::ValueInfoProto& value, const std::string& name, const Shape& sample) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(kFloat);
  tensor.mutable_shape()->add_dim()->set_dim_param("batch");
  for (const std::int64_t extent : sample.extents()) tensor.mutable_shape()->add_dim()->set_dim_value(extent);
}

}  // namespace

struct OnnxGraph::Implementation {
  nntrain_onnx::ModelProto model;
  nntrain_onnx::GraphProto& graph() { return *model.mutable_graph(); }
};

OnnxGraph::Attribute OnnxGraph::number(const std::string& name, double value) {
  return {name, Attribute::Kind::kFloat, static_cast<float>(value), {}};
}
OnnxGraph::Attribute OnnxGraph::integer(const std::string& name, std::int64_t value) {
  return {name, Attribute::Kind::kInt, 0, {value}};
}
OnnxGraph::Attribute OnnxGraph::integers(const std::string& name, std::vector<std::int64_t> values) {
  return {name, Attribute::Kind::kInts, 0, std::move(values)};
}

OnnxGraph::OnnxGraph(const std::string& name, const Shape& input)
    : impl_(std::make_unique<Implementation>()) {
  impl_->model.set_ir_version(kIrVersion);
  impl_->model.set_producer_name("nntrain-dist");
  auto& operators = *impl_->model.add_opset_import();
  operators.set_domain("");
  operators.set_version(kOperators);
  impl_->graph().set_name(name);
  describe(*impl_->graph().add_input(), kInput, input);
}

OnnxGraph::~OnnxGraph() = default;

std::vector<std::string> OnnxGraph::add_several(const std::string& op, const std::vector<std::string>& inputs,
                                                int outputs, const std::vector<Attribute>& attributes) {
  auto& node = *impl_->graph().add_node();
  node.set_op_type(op);
  node.set_name(layer_ + "/" + op + "_" + std::to_string(++count_));
  for (const std::string& input : inputs) node.add_input(input);
  std::vector<std::string> names;
  for (int i = 0; i < outputs; ++i) {
    names.push_back(node.name() + ":" + std::to_string(i));
    node.add_output(names.back());
  }
  for (const Attribute& attribute : attributes) {
    auto& entry = *node.add_attribute();
    entry.set_name(attribute.name);
    if (attribute.kind == Attribute::Kind::kFloat) {
      entry.set_type(nntrain_onnx::AttributeProto::FLOAT);
      entry.set_f(attribute.number);
    } else if (attribute.kind == Attribute::Kind::kInt) {
      entry.set_type(nntrain_onnx::AttributeProto::INT);
      entry.set_i(attribute.integers.at(0));
    } else {
      entry.set_type(nntrain_onnx::AttributeProto::INTS);
      for (const std::int64_t value : attribute.integers) entry.add_ints(value);
    }
  }
  return names;
}

std::string OnnxGraph::add(const std::string& op, const std::vector<std::string>& inputs,
                           const std::vector<Attribute>& attributes) {
  return add_several(op, inputs, 1, attributes).front();
}

std::string OnnxGraph::constant(const Shape& shape, const std::vector<float>& values) {
  auto& tensor = *impl_->graph().add_initializer();
  tensor.set_name(layer_ + "/constant_" + std::to_string(++count_));
  tensor.set_data_type(kFloat);
  for (const std::int64_t extent : shape.extents()) tensor.add_dims(extent);
  const auto bytes = std::as_bytes(std::span(values));
  tensor.set_raw_data(bytes.data(), bytes.size());
  return tensor.name();
}

std::string OnnxGraph::indices(const std::vector<std::int64_t>& values) {
  auto& tensor = *impl_->graph().add_initializer();
  tensor.set_name(layer_ + "/indices_" + std::to_string(++count_));
  tensor.set_data_type(kInt64);
  tensor.add_dims(static_cast<std::int64_t>(values.size()));
  const auto bytes = std::as_bytes(std::span(values));
  tensor.set_raw_data(bytes.data(), bytes.size());
  return tensor.name();
}

std::string OnnxGraph::bytes(const std::string& result, const Shape& output) {
  auto& last = *impl_->graph().add_node();
  last.set_op_type("Identity");
  last.set_name("result");
  last.add_input(result);
  last.add_output("output");
  describe(*impl_->graph().add_output(), "output", output);
  constexpr std::size_t kMostBytes = (std::size_t{1} << 31U) - 1;
  if (impl_->model.ByteSizeLong() > kMostBytes)
    throw InputError("an .onnx file holds at most 2 GB, protobuf's limit; export to .keras or .npz");
  return impl_->model.SerializeAsString();
}

}  // namespace nntrain::checkpoint
