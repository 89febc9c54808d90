#pragma once
// A feed-forward network: Keras' Sequential, trained by all ranks of a session. The number of ranks never
// changes a bit of any result.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nntrain/array.h"
#include "nntrain/history.h"
#include "nntrain/session.h"
#include "nntrain/settings.h"
#include "nntrain/stop_token.h"

namespace nntrain {

struct LayerInfo {
  std::string name;                        ///< "dense_1"
  std::string class_name;                  ///< "Dense"
  std::vector<std::int64_t> output_shape;  ///< of one sample
  std::int64_t parameters = 0;
  bool trainable = true;
};

/// Methods are collective over the session's ranks unless they say "local"; every rank gets the same results.
/// Throws InputError for what the caller can mend, RuntimeError, and DivergedError when a loss or a weight is
/// NaN or Inf.
class Model {
 public:
  /// `layers`: Keras' expressions, e.g. `Dense(8, activation="relu")`. `input`: shape of one sample. `seed`:
  /// of the initial weights. The session outlives the model.
  Model(Session& session, const std::vector<std::string>& layers, std::vector<std::int64_t> input,
        std::uint64_t seed = 0, const std::string& name = "sequential");
  /// A checkpoint of ours or a file of Keras: .h5, .keras. Compiled as the file says, where it says so.
  static Model load(Session& session, const std::string& path);
  ~Model();
  Model(Model&&) noexcept;
  Model& operator=(Model&&) noexcept;

  // Local
  std::vector<LayerInfo> layers() const;
  LayerInfo get_layer(const std::string& name) const;  ///< throws InputError naming those that there are
  LayerInfo get_layer(int index) const;
  std::int64_t count_params() const;
  std::string summary() const;  ///< Keras' table
  /// Arrays of a layer in Keras' order (kernel, bias).
  std::vector<Array> get_weights(const std::string& layer) const;
  /// Shapes must be the layer's. Every rank sets the same.
  void set_weights(const std::string& layer, const std::vector<Array>& weights);
  void compile(const Compile& compile);

  /// Trains for `fit.epochs` more epochs; optimizer state goes on from the last fit. `validation`: own rows,
  /// or empty for fit.validation_split. `stop`: from outside, at the next step; with a checkpoint the same
  /// call goes on.
  History fit(const Data& training, const Fit& fit, const Data& validation = {}, StopToken* stop = nullptr);
  /// Loss and metrics.
  Results evaluate(const Data& data);
  /// (rows, outputs) on every rank.
  Array predict(const ArrayView& x);

  /// By the ending: .keras, .h5 (both load in Keras), .weights.h5, .json, .npz, .onnx. Rank 0 writes. A file
  /// that is there is replaced when this program exported it; another one is kept (Error, ExitCode::kInput).
  void save(const std::string& path);

 private:
  struct Implementation;
  explicit Model(std::unique_ptr<Implementation> implementation);
  std::unique_ptr<Implementation> impl_;
};

}  // namespace nntrain
