// GroupNormalization (Wu and He 2018; keras/src/layers/normalization/group_normalization.py): the channels
// along `axis` in groups; each sample's group is normalized with all that lies at its channels.

#include <cmath>
#include <vector>

#include "nn/layers/layer_registry.h"
#include "nn/variables/axis_groups.h"

namespace nntrain::nn {

namespace {

class GroupNormalization : public Layer {
 public:
  explicit GroupNormalization(const Json& config)
      : config_(config),
        groups_(config["groups"].get<std::int64_t>()),
        epsilon_(config["epsilon"].get<double>()) {
    if (groups_ <= 0 && groups_ != -1) {
      throw InputError(
          "Received an invalid value for argument `groups`, expected a positive integer (or `-1` for "
          "instance normalization). "
          "Received: groups=" +
          std::to_string(groups_));
    }
  }

  InputDemand input_demand() const override { return InputDemand::kShape; }
  Shape build(const Shape& input, VariableBuilder& variables) override {
    const std::int64_t axis = sample_axis(config_["axis"].get<std::int64_t>(), input.rank(), name());
    channels_ = input[axis];
    if (groups_ == -1) groups_ = channels_;
    const std::string counts = "Number of groups (" + std::to_string(groups_) + ") ",
                      of = "number of channels (" + std::to_string(channels_) + ").";
    if (channels_ < groups_)
      throw InputError("layer \"" + name() + "\": " + counts + "cannot be more than the " + of);
    if (channels_ % groups_ != 0)
      throw InputError("layer \"" + name() + "\": " + counts + "must be a multiple of the " + of);
    channel_of_ = kept_places(input, {axis});
    size_ = input.size();
    members_.resize(static_cast<std::size_t>(groups_));
    const std::int64_t width = channels_ / groups_;
    for (std::int64_t i = 0; i < size_; ++i)
      members_[static_cast<std::size_t>(channel_of_[static_cast<std::size_t>(i)] / width)].push_back(i);
    const auto add = [&](const std::string& variable) {
      return variables.add(variable, Shape{channels_}, true,
                           make_initializer(config_[variable + "_initializer"]),
                           make_regularizer(config_[variable + "_regularizer"]),
                           make_constraint(config_[variable + "_constraint"]));
    };
    if (config_["scale"].get<bool>()) gamma_ = add("gamma");
    if (config_["center"].get<bool>()) beta_ = add("beta");
    return input;
  }
  bool backward_reads_output() const override { return false; }
  void prepare(std::int64_t rows, Mode) override {
    moments_.resize(static_cast<std::size_t>(rows * groups_));
  }

  void forward(const BatchContext& context, const float* x, float* y) override {
    for_groups(context, [&](const std::vector<std::int64_t>& members, std::int64_t base, Moments& m) {
      m = moments(members, x + base);
      for (const std::int64_t i : members) {
        const std::int64_t c = channel_of_[static_cast<std::size_t>(i)];
        y[base + i] =
            (x[base + i] - m.mean) * m.inverse * gamma(c) + (beta_ == nullptr ? 0.0F : beta_->values[c]);
      }
    });
  }

  void backward(const BatchContext& context, const float* x, const float*, float* dy, float* dx,
                GradientTree& gradients) override {
    add_gradient(context, gamma_, x, dy, gradients);
    add_gradient(context, beta_, nullptr, dy, gradients);
    if (dx == nullptr) return;
    for_groups(context, [&](const std::vector<std::int64_t>& members, std::int64_t base, Moments& m) {
      const auto count = static_cast<std::int64_t>(members.size());
      const auto at = [&](std::int64_t k) { return base + members[static_cast<std::size_t>(k)]; };
      const auto d = [&](std::int64_t k) {
        return dy[at(k)] * gamma(channel_of_[static_cast<std::size_t>(members[static_cast<std::size_t>(k)])]);
      };
      const auto normal = [&](std::int64_t k) { return (x[at(k)] - m.mean) * m.inverse; };
      const auto mean_d =
          static_cast<float>(lane_sum(count, [&](std::int64_t k) { return static_cast<double>(d(k)); }) /
                             static_cast<double>(count));
      const auto mean_dx = static_cast<float>(
          lane_sum(count, [&](std::int64_t k) { return static_cast<double>(d(k) * normal(k)); }) /
          static_cast<double>(count));
      for (std::int64_t k = 0; k < count; ++k) dx[at(k)] = m.inverse * (d(k) - mean_d - normal(k) * mean_dx);
    });
  }

 private:
  struct Moments {
    float mean, inverse;
  };
  float gamma(std::int64_t channel) const { return gamma_ == nullptr ? 1.0F : gamma_->values[channel]; }

  /// use(members, offset of the row, its moments) for each row and group.
  template <class Use>
  void for_groups(const BatchContext& context, Use use) {
    for (std::int64_t row = 0; row < context.rows; ++row) {
      for (std::int64_t g = 0; g < groups_; ++g)
        use(members_[static_cast<std::size_t>(g)], row * size_,
            moments_[static_cast<std::size_t>(row * groups_ + g)]);
    }
  }

  Moments moments(const std::vector<std::int64_t>& members, const float* x) const {
    const auto count = static_cast<std::int64_t>(members.size());
    const double mean = lane_sum(count,
                                 [&](std::int64_t k) {
                                   return static_cast<double>(x[members[static_cast<std::size_t>(k)]]);
                                 }) /
                        static_cast<double>(count);
    const double squares = lane_sum(count, [&](std::int64_t k) {
      const double distance = static_cast<double>(x[members[static_cast<std::size_t>(k)]]) - mean;
      return distance * distance;
    });
    return {static_cast<float>(mean),
            static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(count) + epsilon_))};
  }

  /// Per channel, sums of dy (x null) or of dy * normalized x over a shard's rows.
  void add_gradient(const BatchContext& context, const Variable* variable, const float* x, const float* dy,
                    GradientTree& gradients) {
    if (variable == nullptr || !variable->trainable) return;
    const std::int64_t width = channels_ / groups_;
    gradients.add(*variable, [&](int s, float* destination) {
      std::fill_n(destination, channels_, 0.0F);
      for (std::int64_t row = context.bounds[static_cast<std::size_t>(s)];
           row < context.bounds[static_cast<std::size_t>(s) + 1]; ++row) {
        for (std::int64_t i = 0; i < size_; ++i) {
          const std::int64_t c = channel_of_[static_cast<std::size_t>(i)], at = row * size_ + i;
          const Moments m = moments_[static_cast<std::size_t>(row * groups_ + c / width)];
          destination[c] += x == nullptr ? dy[at] : dy[at] * ((x[at] - m.mean) * m.inverse);
        }
      }
    });
  }

  Json config_;
  std::int64_t groups_;
  double epsilon_;
  std::int64_t channels_ = 0, size_ = 0;
  std::vector<std::int64_t> channel_of_;            // (size): channel of each element of a sample
  std::vector<std::vector<std::int64_t>> members_;  // of each group: its elements
  Variable *gamma_ = nullptr, *beta_ = nullptr;
  std::vector<Moments> moments_;  // (rows, groups) of the last forward pass
};

}  // namespace

void add_group_normalization(Registry<Layer>& registry) {
  add_layer(registry,
            {"GroupNormalization",
             {"group_normalization"},
             {{"groups", Kind::kInteger, 32},
              {"axis", Kind::kInteger, -1},
              {"epsilon", Kind::kNumber, 1e-3},
              {"center", Kind::kBoolean, true},
              {"scale", Kind::kBoolean, true},
              initializer_parameter("beta_initializer", "zeros"),
              initializer_parameter("gamma_initializer", "ones"),
              regularizer_parameter("beta_regularizer"),
              regularizer_parameter("gamma_regularizer"),
              constraint_parameter("beta_constraint"),
              constraint_parameter("gamma_constraint")},
             "(x - mean) / sqrt(variance + epsilon) gamma + beta of each sample and group of channels, Wu "
             "and He 2018 "
             "(keras.layers.GroupNormalization)"},
            [](const Json& config) { return std::make_unique<GroupNormalization>(config); });
}

}  // namespace nntrain::nn
