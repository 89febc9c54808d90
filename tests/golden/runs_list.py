"""The training runs of make_runs.py and the data they share. Every text in "data", "compile" and "fit" goes into the
run's config.ini as it stands."""
import gzip
import os

import h5py
import numpy as np
from sklearn import datasets

FASHION = "/usr/share/datasets/fashion-mnist/"  # Debian package dataset-fashion-mnist


def idx(name):
    with gzip.open(FASHION + name) as file:
        raw = file.read()
    shape = [int.from_bytes(raw[4 + 4 * i:8 + 4 * i], "big") for i in range(raw[3])]
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def csv(path, names, columns, last=None):
    with open(path, "w") as file:
        file.write(",".join(names) + "\n")
        for i, row in enumerate(columns):
            cells = [repr(round(float(v), 6)) for v in row] + ([last[i]] if last is not None else [])
            file.write(",".join(cells) + "\n")


def write_data(folder):
    """Real data in a fixed shuffled order (iris.csv is sorted by class, which a last batch or split would show)."""
    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(2024)
    iris = datasets.load_iris()
    order = rng.permutation(150)
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    csv(f"{folder}/iris.csv", names + ["species"], iris.data[order], [str(iris.target_names[t]) for t in iris.target[order]])
    csv(f"{folder}/iris_sorted.csv", names + ["species"], iris.data, [str(iris.target_names[t]) for t in iris.target])
    np.save(f"{folder}/iris_onehot.npy", np.eye(3, dtype=np.float32)[iris.target[order]])
    diabetes = datasets.load_diabetes(scaled=False)
    order = rng.permutation(442)
    csv(f"{folder}/diabetes.csv", ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "progression"],
        np.column_stack([diabetes.data, diabetes.target])[order])
    z = (diabetes.data - diabetes.data.mean(0)) / diabetes.data.std(0)
    x, t = z[order].astype(np.float32), (diabetes.target[order] / 100).astype(np.float32)
    # Several yes/no questions about the same patient, from the other measurements.
    labels = np.column_stack([z[:, 1] > 0, z[:, 2] > 0, z[:, 3] > 0, diabetes.target > 140])[order].astype(np.uint8)
    with h5py.File(f"{folder}/diabetes.h5", "w") as file:
        file.create_dataset("inputs", data=x, track_times=False)
        file.create_dataset("progression", data=t[:, None], track_times=False)
        file.create_dataset("serum", data=x[:, [0, 4, 5, 6, 7, 8, 9]], track_times=False)
        file.create_dataset("labels", data=labels, track_times=False)
    cancer = datasets.load_breast_cancer()
    order = rng.permutation(569)[:257]
    z = (cancer.data - cancer.data.mean(0)) / cancer.data.std(0)
    np.save(f"{folder}/cancer_inputs.npy", z[order].astype(np.float32))
    np.save(f"{folder}/cancer_targets.npy", cancer.target[order].astype(np.float32))
    np.save(f"{folder}/cancer_weights.npy", np.round(0.25 + 1.5 * rng.random(257), 3).astype(np.float32))
    csv(f"{folder}/cancer.csv", [str(n).replace(" ", "_") for n in cancer.feature_names[:10]] + ["benign"],
        np.column_stack([cancer.data[:, :10], cancer.target])[order])
    np.save(f"{folder}/fashion_images.npy", idx("train-images-idx3-ubyte.gz")[:240, ::2, ::2])
    np.save(f"{folder}/fashion_labels.npy", idx("train-labels-idx1-ubyte.gz")[:240])


D = "../../data/"
IRIS = {"inputs": D + "iris.csv", "input_columns": ":4", "target_columns": "species"}
DIABETES = {"inputs": D + "diabetes.h5:/inputs", "targets": D + "diabetes.h5:/progression"}
LABELS = {"inputs": D + "diabetes.h5:/serum", "targets": D + "diabetes.h5:/labels"}
CANCER = {"inputs": D + "cancer_inputs.npy", "targets": D + "cancer_targets.npy"}
FASHION_DATA = {"inputs": D + "fashion_images.npy", "targets": D + "fashion_labels.npy", "scale": "1/255"}
RUNS = []


def run(name, about, data, layers, compile, fit, **more):
    RUNS.append({"name": name, "about": about, "data": data, "layers": layers, "compile": compile, "fit": fit, **more})


run("iris_sgd_validation_split", "Softmax from CSV, momentum, last batch of 8 rows, validation_split.", IRIS,
    ['Dense(8, activation="relu")', 'Dense(3, activation="softmax")'],
    {"loss": "sparse_categorical_crossentropy", "optimizer": "SGD(learning_rate=0.02, momentum=0.9)", "metrics": "accuracy"},
    {"epochs": 8, "batch_size": 16, "validation_split": 0.2})
run("iris_class_weight_adam", "class_weight with weighted and plain metrics.", IRIS,
    ['Dense(10, activation="tanh")', "LayerNormalization()", 'Dense(3, activation="softmax")'],
    {"loss": "sparse_categorical_crossentropy", "optimizer": "Adam(learning_rate=0.01, epsilon=0.001)", "metrics": "accuracy",
     "weighted_metrics": "accuracy, sparse_categorical_crossentropy"},
    {"epochs": 5, "batch_size": 32, "class_weight": "0:1.0, 1:2.5, 2:0.5", "validation_split": 0.1})
run("iris_label_smoothing_nadam", "One-hot targets, label smoothing, MaxNorm and UnitNorm.",
    {"inputs": D + "iris.csv", "input_columns": "sepal_length, sepal_width, petal_length, petal_width",
     "targets": D + "iris_onehot.npy", "rows": "20:", "validation_rows": ":20"},
    ['Dense(8, activation="elu", kernel_constraint=MaxNorm(0.8))', 'Dense(3, activation="softmax", kernel_constraint=UnitNorm())'],
    {"loss": "CategoricalCrossentropy(label_smoothing=0.1)", "optimizer": "Nadam(learning_rate=0.005)",
     "metrics": 'accuracy, TopKCategoricalAccuracy(k=2), F1Score(average="macro")'},
    {"epochs": 5, "batch_size": 13, "validation_batch_size": 7})
run("iris_accumulation_initial_epoch", "Gradient accumulation with clipnorm; starts at epoch 2.", IRIS,
    ['Dense(6, activation="gelu")', "Dense(3)"],
    {"loss": "SparseCategoricalCrossentropy(from_logits=True)",
     "optimizer": "Adam(learning_rate=0.01, clipnorm=0.5, gradient_accumulation_steps=2)", "metrics": "accuracy"},
    {"epochs": 6, "initial_epoch": 2, "batch_size": 20})
run("iris_steps_adadelta", "steps_per_epoch: the next epoch goes on in the data; L1L2.", IRIS,
    ['Dense(8, activation="softsign", kernel_regularizer=L1L2(l1=0.001, l2=0.01))', 'Dense(3, activation="softmax")'],
    {"loss": "sparse_categorical_crossentropy", "optimizer": "Adadelta(learning_rate=1.0, epsilon=0.0001)", "metrics": "accuracy"},
    {"epochs": 5, "batch_size": 16, "steps_per_epoch": 4})
run("iris_focal_ftrl_frozen", "A frozen layer, PReLU, orthogonal regularizer, focal loss.",
    {"inputs": D + "iris.csv", "input_columns": ":4", "targets": D + "iris_onehot.npy"},
    ["Dense(6, trainable=False)", "PReLU(alpha_initializer=Constant(0.25))",
     'Dense(3, activation="softmax", kernel_regularizer=OrthogonalRegularizer(0.002, mode="columns"))'],
    {"loss": "CategoricalFocalCrossentropy(alpha=0.5, gamma=1.5)", "optimizer": "Ftrl(learning_rate=0.1, initial_accumulator_value=1.0, beta=1.0)", "metrics": "accuracy"},
    {"epochs": 5, "batch_size": 32})
run("diabetes_huber", "Regression from raw CSV through Normalization; selu, Huber, validation rows.",
    {"inputs": D + "diabetes.csv", "input_columns": ":10", "target_columns": "progression", "rows": "42:", "validation_rows": ":42"},
    ["Normalization()", 'Dense(16, activation="selu", kernel_initializer="lecun_normal")', "Dense(1)"],
    {"loss": "Huber(delta=20.0)", "optimizer": "SGD(PolynomialDecay(0.005, 60, 0.001), momentum=0.5)",
     "metrics": "mae, RootMeanSquaredError()"},
    {"epochs": 4, "batch_size": 32}, seed=4)
run("diabetes_softplus_adagrad", "softplus output, L2 on kernels and biases, validation_freq.",
    {**DIABETES, "rows": ":400", "validation_rows": "400:"},
    ['Dense(12, activation="relu", kernel_regularizer=L2(0.01), bias_regularizer=L2(0.01))', "LayerNormalization()",
     'Dense(1, activation="softplus", activity_regularizer=L2(0.001))'],
    {"loss": "mean_squared_error", "optimizer": "Adagrad(learning_rate=0.05)", "metrics": "mean_absolute_error, R2Score()"},
    {"epochs": 5, "batch_size": 64, "validation_freq": 2})
run("diabetes_early_stopping", "EarlyStopping with restore_best_weights.", {**DIABETES, "rows": ":60", "validation_rows": "60:"},
    ['Dense(12, activation="tanh")', "Dense(1)"],
    {"loss": "mse", "optimizer": "SGD(learning_rate=0.1, momentum=0.5)"},
    {"epochs": 40, "batch_size": 16, "callback": 'EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)'})
run("diabetes_reduce_lr", "ReduceLROnPlateau: learning_rate appears in the history.", {**DIABETES, "rows": ":60", "validation_rows": "60:"},
    ['Dense(8, activation="swish")', "Dense(1)"],
    {"loss": "LogCosh()", "optimizer": "SGD(learning_rate=0.3)", "metrics": "mse"},
    {"epochs": 12, "batch_size": 25,
     "callback": ['ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1, min_lr=0.01)', 'EarlyStopping(monitor="loss", patience=8)']})
run("diabetes_adafactor", "Adafactor; mean_with_sample_weight is the reduction.", DIABETES,
    ['Dense(8, activation="mish")', "UnitNormalization()", "Dense(1)"],
    {"loss": 'MeanSquaredError(reduction="mean_with_sample_weight")', "optimizer": "Adafactor(learning_rate=0.05)"},
    {"epochs": 4, "batch_size": 48})
run("multilabel_adamax", "Multi-label targets from HDF5, L1, several AUCs.", {**LABELS, "rows": ":380", "validation_rows": "380:"},
    ['Dense(10, activation="leaky_relu", kernel_regularizer=L1(0.0005))', 'Dense(4, activation="sigmoid")'],
    {"loss": "binary_crossentropy", "optimizer": "Adamax(learning_rate=0.01)",
     "metrics": 'accuracy, AUC(), AUC(multi_label=True, name="auc_labels"), Precision(), Recall()'},
    {"epochs": 4, "batch_size": 30})
run("multilabel_lion", "Lion with small steps, weight decay, NonNeg and MinMaxNorm.", LABELS,
    ['Dense(6, activation="softplus", kernel_constraint=MinMaxNorm(0.3, 1.5, rate=0.8))',
     'Dense(4, activation="sigmoid", bias_constraint=NonNeg())'],
    {"loss": "BinaryFocalCrossentropy(gamma=1.0)", "optimizer": "Lion(learning_rate=0.002, weight_decay=0.01)",
     "metrics": "BinaryAccuracy(threshold=0.4)"},
    {"epochs": 2, "batch_size": 100})
run("cancer_batchnorm_adamw", "BatchNormalization, class_weight, cosine schedule with warm-up, label smoothing.",
    {**CANCER, "rows": ":200", "validation_rows": "200:"},
    ['Dense(8, use_bias=False)', "BatchNormalization(momentum=0.9)", 'Activation("relu")', 'Dense(1, activation="sigmoid")'],
    {"loss": "BinaryCrossentropy(label_smoothing=0.1)",
     "optimizer": "AdamW(CosineDecay(0.001, decay_steps=20, warmup_target=0.01, warmup_steps=5), weight_decay=0.01)",
     "metrics": "accuracy, AUC(), Precision(), Recall()"},
    {"epochs": 4, "batch_size": 32, "class_weight": "0:2.0, 1:0.75"})
run("cancer_batchnorm_single_row", "The last batch has one row, in training and in validation.",
    {**CANCER, "rows": ":193", "validation_rows": "192:"},
    ['Dense(6, activation="tanh")', "BatchNormalization()", 'Dense(4, activation="relu")', "BatchNormalization(momentum=0.5, epsilon=0.01)",
     'Dense(1, activation="sigmoid")'],
    {"loss": "binary_crossentropy", "optimizer": "SGD(learning_rate=0.02, momentum=0.9, nesterov=True)", "metrics": "accuracy"},
    {"epochs": 4, "batch_size": 32})
run("cancer_hinge_sample_weight", "sample_weight from a file (validation_split cuts it too), hinge on 0/1 targets.",
    {**CANCER, "sample_weight": D + "cancer_weights.npy"},
    ['Dense(6, activation="hard_tanh")', "Dense(1)"],
    {"loss": "hinge", "optimizer": "SGD(learning_rate=0.01, weight_decay=0.1, clipvalue=0.2)", "metrics": "hinge",
     "weighted_metrics": "hinge, BinaryAccuracy(threshold=0.0)"},
    {"epochs": 5, "batch_size": 25, "validation_split": 0.2})
run("cancer_csv_rescaling", "Rescaling, UnitNormalization and squared hinge from CSV.",
    {"inputs": D + "cancer.csv", "input_columns": ":-1", "target_columns": "benign", "rows": ":200", "validation_rows": "200:"},
    ["Rescaling(0.01, offset=-0.1)", "UnitNormalization()", 'Dense(5, activation="relu6")', "RMSNormalization()", "Dense(1)"],
    {"loss": "squared_hinge", "optimizer": "RMSprop(learning_rate=0.005, centered=True)"},
    {"epochs": 3, "batch_size": 40})
run("fashion_clipped_schedule", "Images, scale, staircase schedule, global_clipnorm, MaxNorm, validation rows.",
    {**FASHION_DATA, "rows": "40:", "validation_rows": ":40"},
    ["Flatten()", 'Dense(12, activation="relu", kernel_constraint=MaxNorm(1.0))', 'Dense(10, activation="softmax")'],
    {"loss": "sparse_categorical_crossentropy",
     "optimizer": "SGD(ExponentialDecay(0.1, decay_steps=10, decay_rate=0.8, staircase=True), momentum=0.5, global_clipnorm=1.0)",
     "metrics": "accuracy, SparseTopKCategoricalAccuracy(k=3)"},
    {"epochs": 4, "batch_size": 32})
run("fashion_rank3_ema", "Dense on rank-3 input, EMA of the weights put in place at the end.",
    {**FASHION_DATA, "rows": ":200", "validation_rows": "200:"},
    ['Dense(6, activation="tanh")', "BatchNormalization()", "Flatten()", 'Dense(10, activation="softmax")'],
    {"loss": "sparse_categorical_crossentropy", "optimizer": "SGD(learning_rate=0.05, use_ema=True, ema_momentum=0.9)", "metrics": "accuracy"},
    {"epochs": 3, "batch_size": 32})
run("fashion_ema_overwrite", "EMA overwrites the weights every 5 steps; sum as the reduction.",
    FASHION_DATA,
    ["Reshape((196,))", 'Dense(10, activation="softmax", kernel_regularizer="l2")'],
    {"loss": 'SparseCategoricalCrossentropy(reduction="sum")',
     "optimizer": "SGD(learning_rate=0.002, momentum=0.5, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=5)",
     "metrics": "accuracy, sparse_categorical_crossentropy"},
    {"epochs": 3, "batch_size": 50, "validation_split": 0.15})
run("diabetes_lamb", "Lamb, InverseTimeDecay, activity regularizer layer.", DIABETES,
    ['Dense(8, activation="squareplus")', "ActivityRegularization(l1=0.001, l2=0.001)", "Dense(1)"],
    {"loss": "mean_squared_error", "optimizer": "Lamb(InverseTimeDecay(0.02, 10, 0.5))", "metrics": "cosine_similarity"},
    {"epochs": 4, "batch_size": 128})
run("multilabel_dice", "A loss of the whole mini-batch; GroupNormalization, constraints on normalizations.", LABELS,
    ["Dense(8, use_bias=False)", "BatchNormalization(momentum=0.8, beta_constraint=NonNeg())", 'Activation("tanh")',
     "GroupNormalization(groups=2, gamma_constraint=MaxNorm(2.0))", 'Dense(4, activation="sigmoid")'],
    {"loss": "Dice()", "optimizer": "SGD(learning_rate=0.1, momentum=0.5)", "metrics": 'BinaryAccuracy(), F1Score(average="micro", threshold=0.5)'},
    {"epochs": 3, "batch_size": 50, "validation_split": 0.2})
run("iris_circle", "Pairs of samples: embeddings of length 1 and Circle; the last batch has 10 rows.", IRIS,
    ['Dense(8, activation="tanh")', "Dense(3)", "UnitNormalization()"],
    {"loss": "Circle(gamma=2.0, margin=0.3)", "optimizer": "SGD(learning_rate=0.005)"},
    {"epochs": 3, "batch_size": 20, "validation_split": 0.2})
