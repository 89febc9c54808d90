// A model as an ONNX graph (github.com/onnx/onnx/blob/main/docs/Operators.md, operators of version 17).

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "checkpoint/export_formats.h"
#include "checkpoint/onnx_graph.h"
#include "core/error.h"
#include "core/registry.h"

namespace nntrain::checkpoint {

namespace {

using Graph = OnnxGraph;

double number(const Json& config, const char* key) {
  const Json value = config.value(key, Json());
  return value.is_number() ? value.get<double>() : 0.0;
}

std::string relu(Graph& graph, const std::string& x, const Json& config) {
  const double slope = number(config, "negative_slope"), threshold = number(config, "threshold");
  const bool limited = config.contains("max_value") && config["max_value"].is_number();
  std::string y;
  if (threshold == 0) {
    y = slope == 0 ? graph.add("Relu", {x}) : graph.add("LeakyRelu", {x}, {Graph::number("alpha", slope)});
  } else {
    const std::string limit = graph.constant(threshold);
    const std::string below = graph.add("Mul", {graph.add("Sub", {x, limit}), graph.constant(slope)});
    y = graph.add("Where", {graph.add("Less", {x, limit}), below, x});
  }
  return limited ? graph.add("Min", {y, graph.constant(number(config, "max_value"))}) : y;
}

std::string cut(Graph& graph, const std::string& x, double low, double high) {
  return graph.add("Clip", {x, graph.constant(low), graph.constant(high)});
}

std::string half_of(Graph& graph, const std::string& x) { return graph.add("Mul", {x, graph.constant(0.5)}); }

std::string gelu(Graph& graph, const std::string& x) {
  const std::string erf = graph.add("Erf", {graph.add("Mul", {x, graph.constant(std::sqrt(0.5))})});
  return half_of(graph, graph.add("Mul", {x, graph.add("Add", {erf, graph.constant(1)})}));
}

std::string sparse_plus(Graph& graph, const std::string& x) {
  const std::string one = graph.constant(1), inside = graph.add("Add", {x, one});
  const std::string square = graph.add("Mul", {graph.add("Mul", {inside, inside}), graph.constant(0.25)});
  const std::string above = graph.add("Where", {graph.add("Less", {x, one}), square, x});
  return graph.add("Where", {graph.add("Less", {x, graph.constant(-1)}), graph.constant(0), above});
}

using Function = std::function<std::string(Graph& graph, const std::string& x)>;

const std::map<std::string, Function>& functions() {
  const auto op = [](const char* name, std::vector<Graph::Attribute> attributes = {}) {
    return Function([=](Graph& graph, const std::string& x) { return graph.add(name, {x}, attributes); });
  };
  const auto last = Graph::integer("axis", -1);
  static const std::map<std::string, Function> table = {
      {"linear", [](Graph&, const std::string& x) { return x; }},
      {"relu", op("Relu")},
      {"sigmoid", op("Sigmoid")},
      {"tanh", op("Tanh")},
      {"softmax", op("Softmax", {last})},
      {"log_softmax", op("LogSoftmax", {last})},
      {"elu", op("Elu")},
      {"celu", op("Celu")},
      {"selu", op("Selu")},
      {"softplus", op("Softplus")},
      {"softsign", op("Softsign")},
      {"exponential", op("Exp")},
      {"leaky_relu", op("LeakyRelu", {Graph::number("alpha", 0.2)})},
      {"hard_sigmoid", op("HardSigmoid", {Graph::number("alpha", 1.0 / 6), Graph::number("beta", 0.5)})},
      {"sparse_sigmoid", op("HardSigmoid", {Graph::number("alpha", 0.5), Graph::number("beta", 0.5)})},
      {"hard_silu", op("HardSwish")},
      {"hard_shrink", op("Shrink", {Graph::number("lambd", 0.5), Graph::number("bias", 0)})},
      {"soft_shrink", op("Shrink", {Graph::number("lambd", 0.5), Graph::number("bias", 0.5)})},
      {"relu6", [](Graph& graph, const std::string& x) { return cut(graph, x, 0, 6); }},
      {"hard_tanh", [](Graph& graph, const std::string& x) { return cut(graph, x, -1, 1); }},
      {"gelu", gelu},
      {"silu",
       [](Graph& graph, const std::string& x) { return graph.add("Mul", {x, graph.add("Sigmoid", {x})}); }},
      {"mish",
       [](Graph& graph, const std::string& x) {
         return graph.add("Mul", {x, graph.add("Tanh", {graph.add("Softplus", {x})})});
       }},
      {"log_sigmoid",
       [](Graph& graph, const std::string& x) {
         return graph.add("Neg", {graph.add("Softplus", {graph.add("Neg", {x})})});
       }},
      {"tanh_shrink",
       [](Graph& graph, const std::string& x) { return graph.add("Sub", {x, graph.add("Tanh", {x})}); }},
      {"squareplus",
       [](Graph& graph, const std::string& x) {
         const std::string square = graph.add("Add", {graph.add("Mul", {x, x}), graph.constant(4)});
         return half_of(graph, graph.add("Add", {x, graph.add("Sqrt", {square})}));
       }},
      {"sparse_plus", sparse_plus},
      {"glu",
       [](Graph& graph, const std::string& x) {
         const auto halves = graph.add_several("Split", {x}, 2, {Graph::integer("axis", -1)});
         return graph.add("Mul", {halves[0], graph.add("Sigmoid", {halves[1]})});
       }},
  };
  return table;
}

std::string activation(Graph& graph, const std::string& x, const Json& spec) {
  if (spec.is_null()) return x;
  const std::string name = detail::spec_name("activation", spec);
  const Json config = spec.is_object() ? spec.value("config", Json::object()) : Json::object();
  if (spec.is_object() && (name == "ReLU" || name == "relu")) return relu(graph, x, config);
  if (spec.is_object() && (name == "LeakyReLU" || name == "leaky_relu")) {
    const char* slope = config.contains("alpha") ? "alpha" : "negative_slope";  // a layer's, an activation's
    return graph.add("LeakyRelu", {x}, {Graph::number("alpha", number(config, slope))});
  }
  if (spec.is_object() && (name == "ELU" || name == "elu"))
    return graph.add("Elu", {x}, {Graph::number("alpha", number(config, "alpha"))});
  const auto found = functions().find(name);
  if (found == functions().end())
    throw InputError("ONNX has no operators for the activation \"" + name + "\"");
  return found->second(graph, x);
}

/// One layer and its weights on their way into the graph.
struct Node {
  Graph& graph;
  const Json& config;
  const Shape& shape;  ///< of its input, one sample
  std::map<std::string, const WeightArray*> weights;

  /// null where the configuration leaves it out, as it does with None.
  Json value(const char* key) const { return config.value(key, Json()); }
  const WeightArray* weight(const std::string& name) const {
    const auto found = weights.find(name);
    return found == weights.end() ? nullptr : found->second;
  }
  std::string own(const std::string& name) const {
    const WeightArray* array = weight(name);
    if (array == nullptr) throw RuntimeError("internal: no weight " + name);
    return graph.constant(array->shape, array->values);
  }
  /// Axes of the batch's array (0 is the batch) that `axis` names, sorted.
  std::vector<std::int64_t> axes() const {
    std::vector<std::int64_t> result;
    const Json axis = config.value("axis", Json());
    for (const Json& item : axis.is_array() ? axis : axis.is_null() ? Json::array() : Json::array({axis})) {
      const std::int64_t value = item.get<std::int64_t>();
      result.push_back(value < 0 ? value + shape.rank() + 1 : value);
    }
    std::sort(result.begin(), result.end());
    return result;
  }
  /// Values along axes(), to be spread over the others.
  std::string spread(const std::vector<float>& values) const {
    std::vector<std::int64_t> extents(static_cast<std::size_t>(shape.rank()), 1);
    for (const std::int64_t axis : axes()) extents.at(static_cast<std::size_t>(axis - 1)) = shape[axis - 1];
    return graph.constant(Shape(extents), values);
  }
  std::string reduce(const char* op, const std::string& x, const std::vector<std::int64_t>& over) const {
    return graph.add(op, {x}, {Graph::integers("axes", over), Graph::integer("keepdims", 1)});
  }
  /// x gamma + beta, as far as the layer has them.
  std::string scaled(std::string x) const {
    if (const WeightArray* gamma = weight("gamma")) x = graph.add("Mul", {x, spread(gamma->values)});
    if (const WeightArray* beta = weight("beta")) x = graph.add("Add", {x, spread(beta->values)});
    return x;
  }
  /// (x - mean) / sqrt(mean((x - mean)^2) + epsilon) over `over`.
  std::string standardized(const std::string& x, const std::vector<std::int64_t>& over) const {
    const std::string d = graph.add("Sub", {x, reduce("ReduceMean", x, over)});
    return graph.add("Div", {d, root_mean_square(d, over)});
  }
  std::string root_mean_square(const std::string& x, const std::vector<std::int64_t>& over) const {
    const std::string mean = reduce("ReduceMean", graph.add("Mul", {x, x}), over);
    return graph.add("Sqrt", {graph.add("Add", {mean, graph.constant(number(config, "epsilon"))})});
  }
  std::string reshaped(const std::string& x, std::vector<std::int64_t> extents) const {
    extents.insert(extents.begin(), -1);
    return graph.add("Reshape", {x, graph.indices(extents)});
  }
};

std::string dense(const Node& node, const std::string& x) {
  std::string y = node.graph.add("MatMul", {x, node.own("kernel")});
  if (node.weight("bias") != nullptr) y = node.graph.add("Add", {y, node.own("bias")});
  return activation(node.graph, y, node.value("activation"));
}

std::string batch_normalization(const Node& node, const std::string& x) {
  const std::vector<float>& mean = node.weight("moving_mean")->values;
  const std::vector<float>& variance = node.weight("moving_variance")->values;
  std::vector<float> inverse(mean.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    inverse[i] = static_cast<float>(1.0 / std::sqrt(variance[i] + number(node.config, "epsilon")));
  }
  const std::string centred = node.graph.add("Sub", {x, node.spread(mean)});
  return node.scaled(node.graph.add("Mul", {centred, node.spread(inverse)}));
}

std::string group_normalization(const Node& node, const std::string& x) {
  const std::int64_t channels = node.shape.last();
  if (node.axes() != std::vector<std::int64_t>{node.shape.rank()})
    throw InputError("GroupNormalization is exported along the last axis only");
  const Json given = node.config.value("groups", Json(1));
  const std::int64_t groups = given == -1 ? channels : given.get<std::int64_t>();
  const std::string apart = node.reshaped(x, {node.shape.leading(), groups, channels / groups});
  return node.scaled(node.reshaped(node.standardized(apart, {1, 3}), node.shape.extents()));
}

std::string normalization(const Node& node, const std::string& x) {
  std::vector<float> mean, variance;
  if (node.weight("mean") != nullptr) {
    mean = node.weight("mean")->values;
    variance = node.weight("variance")->values;
  } else {
    const auto take = [&](const char* key, std::vector<float>& values) {
      const Json given = node.value(key);
      std::function<void(const Json&)> collect = [&](const Json& value) {
        if (!value.is_array()) return values.push_back(value.get<float>());
        for (const Json& item : value) collect(item);
      };
      collect(given);
      std::int64_t size = 1;
      for (const std::int64_t axis : node.axes()) size *= node.shape[axis - 1];
      if (values.size() == 1) values.resize(static_cast<std::size_t>(size), values[0]);
      if (static_cast<std::int64_t>(values.size()) != size)
        throw InputError(std::string("Normalization's ") + key + " has another size than its axis");
    };
    take("mean", mean);
    take("variance", variance);
  }
  std::vector<float> deviation(variance.size());
  std::transform(variance.begin(), variance.end(), deviation.begin(),
                 [](float v) { return std::max(std::sqrt(v), 1e-7F); });
  const std::string m = node.spread(mean), d = node.spread(deviation);
  if (node.config.value("invert", false)) return node.graph.add("Add", {node.graph.add("Mul", {x, d}), m});
  return node.graph.add("Div", {node.graph.add("Sub", {x, m}), d});
}

std::string softmax_layer(const Node& node, const std::string& x) {
  const std::vector<std::int64_t> axes = node.axes();
  if (axes.size() == 1) return node.graph.add("Softmax", {x}, {Graph::integer("axis", axes[0])});
  return node.graph.add("Exp", {node.graph.add("Sub", {x, node.reduce("ReduceLogSumExp", x, axes)})});
}

std::string rescaling(const Node& node, const std::string& x) {
  const auto values = [&](const char* key) {
    std::vector<float> list;
    const Json given = node.value(key);
    for (const Json& item : given.is_array() ? given : Json::array({given}))
      list.push_back(item.get<float>());
    return node.graph.constant(given.is_array() ? Shape{static_cast<std::int64_t>(list.size())} : Shape{},
                               list);
  };
  return node.graph.add("Add", {node.graph.add("Mul", {x, values("scale")}), values("offset")});
}

std::string repeat_vector(const Node& node, const std::string& x) {
  const std::string row = node.reshaped(x, {1, node.shape.last()});
  return node.graph.add("Tile", {row, node.graph.indices({1, node.value("n").get<std::int64_t>(), 1})});
}

std::string permute(const Node& node, const std::string& x) {
  std::vector<std::int64_t> order = {0};
  for (const Json& axis : node.value("dims")) order.push_back(axis.get<std::int64_t>());
  return node.graph.add("Transpose", {x}, {Graph::integers("perm", order)});
}

std::string embedding(const Node& node, const std::string& x) {
  return node.graph.add("Gather", {node.own("embeddings"), node.graph.cast(x, Graph::Type::kInt64)},
                        {Graph::integer("axis", 0)});
}

/// Indices as `output_mode` says; `depth` of them.
std::string encoded(const Node& node, const std::string& indices, std::int64_t depth) {
  const std::string mode = node.config["output_mode"].get<std::string>();
  if (mode == "int") return indices;
  const bool squeezes = mode == "one_hot" && node.shape.last() == 1;
  const std::string whole = node.graph.cast(indices, Graph::Type::kInt64);
  const std::string vectors = node.graph.add(
      "OneHot", {squeezes ? node.graph.add("Squeeze", {whole, node.graph.indices({-1})}) : whole,
                 node.graph.indices({depth}), node.graph.constant(Shape{2}, {0, 1})});
  if (mode == "one_hot") return vectors;
  if (mode == "count")
    return node.graph.add("ReduceSum", {vectors, node.graph.indices({1})}, {Graph::integer("keepdims", 0)});
  return node.graph.add("ReduceMax", {vectors},
                        {Graph::integers("axes", {1}), Graph::integer("keepdims", 0)});
}

std::string category_encoding(const Node& node, const std::string& x) {
  return encoded(node, x, node.config["num_tokens"].get<std::int64_t>());
}

/// The bin is the number of boundaries that are not above.
std::string discretization(const Node& node, const std::string& x) {
  const auto boundaries = node.config["bin_boundaries"].get<std::vector<float>>();
  const auto count = static_cast<std::int64_t>(boundaries.size());
  if (count == 0) return encoded(node, node.graph.add("Mul", {x, node.graph.constant(0.0)}), 1);
  const std::string apart = node.graph.add("Unsqueeze", {x, node.graph.indices({-1})});
  const std::string reached =
      node.graph.add("GreaterOrEqual", {apart, node.graph.constant(Shape{count}, boundaries)});
  const std::string bins =
      node.graph.add("ReduceSum", {node.graph.cast(reached, Graph::Type::kFloat), node.graph.indices({-1})},
                     {Graph::integer("keepdims", 0)});
  return encoded(node, bins, count + 1);
}

/// `next`: the shape after the layer.
std::string add_layer(const std::string& kind, const Node& node, const std::string& x, const Shape& next) {
  using Make = std::string (*)(const Node&, const std::string&);
  static const std::map<std::string, Make> table = {
      {"Dense", dense},
      {"BatchNormalization", batch_normalization},
      {"GroupNormalization", group_normalization},
      {"Normalization", normalization},
      {"Softmax", softmax_layer},
      {"Rescaling", rescaling},
      {"RepeatVector", repeat_vector},
      {"Permute", permute},
      {"Embedding", embedding},
      {"CategoryEncoding", category_encoding},
      {"Discretization", discretization},
      {"LayerNormalization",
       [](const Node& n, const std::string& in) { return n.scaled(n.standardized(in, n.axes())); }},
      {"RMSNormalization",
       [](const Node& n, const std::string& in) {
         const std::string y = n.graph.add("Div", {in, n.root_mean_square(in, n.axes())});
         return n.graph.add("Mul", {y, n.spread(n.weight("scale")->values)});
       }},
      {"UnitNormalization",
       [](const Node& n, const std::string& in) {
         const std::string norm =
             n.graph.add("Max", {n.reduce("ReduceL2", in, n.axes()), n.graph.constant(1e-12)});
         return n.graph.add("Div", {in, norm});
       }},
      {"PReLU",
       [](const Node& n, const std::string& in) {
         return n.graph.add("PRelu", {in, n.own("alpha")});
       }},
      {"Activation",
       [](const Node& n, const std::string& in) { return activation(n.graph, in, n.value("activation")); }},
  };
  for (const char* same : {"Identity", "Dropout", "AlphaDropout", "GaussianNoise", "GaussianDropout",
                           "ActivityRegularization"}) {
    if (kind == same) return x;
  }
  if (kind == "Flatten" || kind == "Reshape") return node.reshaped(x, next.extents());
  if (kind == "ReLU" || kind == "LeakyReLU" || kind == "ELU")
    return activation(node.graph, x, {{"class_name", kind}, {"config", node.config}});
  const auto found = table.find(kind);
  if (found == table.end()) throw InputError("ONNX has no operators for the layer " + kind);
  return found->second(node, x);
}

}  // namespace

void export_onnx(io::AtomicFile& file, const Exportable& what, Notes& notes) {
  const Json& model = what.contents.model_config["config"];
  Graph graph(model["name"].get<std::string>(), what.shapes.at(0));
  std::string x = Graph::kInput;
  std::size_t i = 0;
  LayerWeights weights = weights_by_layer(what.contents.weights);
  for (const Json& layer : model["layers"]) {
    if (layer["class_name"] == "InputLayer") continue;
    const std::string kind = layer["class_name"].get<std::string>(),
                      name = layer["config"]["name"].get<std::string>();
    Node node{graph, layer["config"], what.shapes.at(i), {}};
    for (const WeightArray* weight : weights[name]) node.weights[weight->name] = weight;
    graph.begin_layer(name);
    try {
      x = add_layer(kind, node, x, what.shapes.at(i + 1));
    } catch (const InputError& error) {
      throw InputError("layer \"" + name + "\": " + error.what() + "; .keras, .h5 and .npz hold every layer");
    }
    ++i;
  }
  const Json scale = what.contents.data.is_object() ? what.contents.data.value("scale", Json()) : Json();
  if (scale.is_number() && scale.get<double>() != 1)
    notes.push_back("data.scale is not part of the model: multiply the inputs by " + scale.dump());
  file.append(graph.bytes(x, what.shapes.back()));
}

}  // namespace nntrain::checkpoint
