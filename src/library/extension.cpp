#include "nntrain/extension.h"

#include <algorithm>

#include "core/call.h"
#include "core/error.h"
#include "nn/layers/layer_registry.h"
#include "nn/losses/loss_common.h"
#include "train/callbacks/callback.h"

namespace nntrain {

namespace {

std::vector<Parameter> parameters_of(const Defaults& defaults) {
  std::vector<Parameter> parameters;
  for (const auto& [name, value] : defaults) parameters.push_back({name, Kind::kNumber, value});
  return parameters;
}

Arguments arguments_of(const Defaults& defaults, const Json& config) {
  Arguments arguments;
  for (const auto& [name, value] : defaults) arguments[name] = config[name].get<double>();
  return arguments;
}

template <class Product>
void require_new(const Registry<Product>& registry, const std::string& name) {
  for (const Signature* signature : registry.signatures()) {
    const bool alias = std::count(signature->aliases.begin(), signature->aliases.end(), name) != 0;
    if (signature->class_name == name || alias)
      throw InputError("the " + registry.family() + " \"" + name + "\" is there already; take another name");
  }
}

/// An OwnLayer as the floors know layers: its gradients are made shard by shard, so that their sums follow
/// the tree.
class AdaptedLayer : public nn::Layer {
 public:
  explicit AdaptedLayer(std::unique_ptr<OwnLayer> own) : own_(std::move(own)) {}

  Shape build(const Shape& input, nn::VariableBuilder& variables) override {
    input_ = input.size();
    const AddWeight add = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                              const std::string& initializer) {
      variables_.push_back(variables.add(name, Shape(shape), true, nn::make_initializer(initializer)));
    };
    const Shape output(own_->build(input.extents(), add));
    output_ = output.size();
    return output;
  }

  void prepare(std::int64_t rows, nn::Mode mode) override {
    (void)rows;
    pointers_.resize(variables_.size());
    if (mode != nn::Mode::kTraining) return;
    gradients_.resize(variables_.size());
    spots_.resize(variables_.size());
  }

  void forward(const nn::BatchContext& context, const float* x, float* y) override {
    own_->forward(context.rows, x, weights(), y);
  }

  void backward(const nn::BatchContext& context, const float* x, const float*, float* dy, float* dx,
                nn::GradientTree& gradients) override {
    const int shards = context.local_shards();
    for (std::size_t v = 0; v < variables_.size(); ++v)
      gradients_[v].assign(static_cast<std::size_t>(shards * variables_[v]->size()), 0.0F);
    for (int s = 0; s < shards; ++s) {
      const std::int64_t begin = context.bounds[static_cast<std::size_t>(s)];
      for (std::size_t v = 0; v < variables_.size(); ++v)
        spots_[v] = gradients_[v].data() + s * variables_[v]->size();
      own_->backward(context.shard_rows(s), x + begin * input_, dy + begin * output_, weights(),
                     dx == nullptr ? nullptr : dx + begin * input_, spots_);
    }
    for (std::size_t v = variables_.size(); v-- > 0;) {
      const nn::Variable& variable = *variables_[v];
      gradients.add(variable, [&](int shard, float* destination) {
        std::copy_n(gradients_[v].data() + shard * variable.size(), variable.size(), destination);
      });
    }
  }

 private:
  const std::vector<const float*>& weights() {
    for (std::size_t v = 0; v < variables_.size(); ++v) pointers_[v] = variables_[v]->values;
    return pointers_;
  }

  std::unique_ptr<OwnLayer> own_;
  std::int64_t input_ = 0, output_ = 0;
  std::vector<const nn::Variable*> variables_;
  std::vector<const float*> pointers_;
  std::vector<std::vector<float>> gradients_;  // per variable: (local shards, size)
  std::vector<float*> spots_;
};

class AdaptedLoss : public nn::CommonLoss {
 public:
  AdaptedLoss(const Json& config, std::unique_ptr<OwnLoss> own) : CommonLoss(config), own_(std::move(own)) {}

  void compute(const nn::LossInputs& inputs, const float* scale, float* values,
               float* d_logits) const override {
    own_->compute(inputs.positions, inputs.classes, inputs.targets, inputs.predictions, values, d_logits);
    if (d_logits == nullptr) return;
    for (std::int64_t i = 0; i < inputs.positions; ++i) {
      for (std::int64_t c = 0; c < inputs.classes; ++c) d_logits[i * inputs.classes + c] *= scale[i];
    }
  }

 private:
  std::unique_ptr<OwnLoss> own_;
};

class AdaptedCallback : public train::Callback {
 public:
  AdaptedCallback(std::string name, std::unique_ptr<OwnCallback> own)
      : name_(std::move(name)), own_(std::move(own)) {}
  void on_epoch_end(train::Control& control, std::int64_t epoch, train::Logs& logs) override {
    const std::map<std::string, double> results(logs.values.begin(), logs.values.end());
    if (!own_->on_epoch_end(epoch + 1, results)) control.stop(name_);
  }

 private:
  std::string name_;
  std::unique_ptr<OwnCallback> own_;
};

}  // namespace

void register_layer(const std::string& name, const Defaults& defaults,
                    std::function<std::unique_ptr<OwnLayer>(const Arguments&)> make) {
  require_new(nn::layers(), name);
  nn::add_layer(nn::layers(), {name, {}, parameters_of(defaults), "a layer of the program"},
                [=](const Json& config) {
                  return std::make_unique<AdaptedLayer>(make(arguments_of(defaults, config)));
                });
}

void register_loss(const std::string& name, const Defaults& defaults,
                   std::function<std::unique_ptr<OwnLoss>(const Arguments&)> make) {
  require_new(nn::losses(), name);
  nn::losses().add(nn::loss_signature(name, {}, parameters_of(defaults), "a loss of the program"),
                   [=](const Json& config) {
                     return std::make_unique<AdaptedLoss>(config, make(arguments_of(defaults, config)));
                   });
}

void register_callback(const std::string& name, const Defaults& defaults,
                       std::function<std::unique_ptr<OwnCallback>(const Arguments&)> make) {
  require_new(train::callbacks(), name);
  train::callbacks().add(
      {name, {}, parameters_of(defaults), "a callback of the program"}, [=](const Json& config) {
        return std::make_unique<AdaptedCallback>(name, make(arguments_of(defaults, config)));
      });
}

}  // namespace nntrain
