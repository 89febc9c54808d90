"""Models that together use the whole vocabulary; run.py trains each with the program and opens its exports."""

IRIS_INPUT = 4
ACTIVATIONS = ["linear", "relu", "leaky_relu", "elu", "relu6", "celu", "selu", "gelu", "silu", "sigmoid", "hard_sigmoid",
               "log_sigmoid", "sparse_sigmoid", "tanh", "hard_tanh", "tanh_shrink", "softplus", "softsign", "squareplus",
               "sparse_plus", "exponential", "hard_silu", "mish", "hard_shrink", "soft_shrink", "softmax", "log_softmax",
               "sparsemax"]
LAYERS = {
    "ReLU": ["ReLU(max_value=2.0, negative_slope=0.1, threshold=0.2)"], "LeakyReLU": ["LeakyReLU(0.2)"],
    "ELU": ["ELU(0.5)"], "PReLU": ["PReLU(alpha_initializer=RandomUniform(0.1, 0.3))"],
    "Softmax": ["Reshape((2, 4))", "Softmax(axis=1)", "Flatten()"],
    "Softmax list": ["Reshape((2, 4))", "Softmax(axis=[1, 2])", "Flatten()"],
    "Rescaling": ["Rescaling(0.5, offset=0.1)"], "Dropout": ["Dropout(0.2)"], "AlphaDropout": ["AlphaDropout(0.1)"],
    "GaussianNoise": ["GaussianNoise(0.1)"], "GaussianDropout": ["GaussianDropout(0.1)"],
    "BatchNormalization": ["BatchNormalization()"], "BatchNormalization bare": ["BatchNormalization(scale=False, center=False)"],
    "BatchNormalization axis": ["Reshape((2, 4))", "BatchNormalization(axis=1)", "Flatten()"],
    "LayerNormalization": ["LayerNormalization()"],
    "LayerNormalization list": ["Reshape((2, 4))", "LayerNormalization(axis=[1, 2])", "Flatten()"],
    "RMSNormalization": ["RMSNormalization()"],
    "RMSNormalization list": ["Reshape((2, 4))", "RMSNormalization(axis=[1, 2])", "Flatten()"],
    "UnitNormalization": ["UnitNormalization()"],
    "UnitNormalization list": ["Reshape((2, 4))", "UnitNormalization(axis=[1, 2])", "Flatten()"],
    "GroupNormalization": ["GroupNormalization(groups=2)"],
    "ActivityRegularization": ["ActivityRegularization(l1=0.01, l2=0.01)"],
    "Reshape and Permute": ["Reshape((2, 4))", "Permute((2, 1))", "Dense(3)", "Flatten()"],
    "RepeatVector": ["RepeatVector(2)", "Flatten()"], "Identity": ["Identity()"], "Activation": ['Activation("tanh")'],
    "Dense plain": ["Dense(5, use_bias=False)"], "Dense frozen": ["Dense(5, trainable=False)"],
    "regularizers": ["Dense(5, kernel_regularizer=L1L2(0.01, 0.01), bias_regularizer=L2(0.1), activity_regularizer=L1(0.01))"],
    "OrthogonalRegularizer": ["Dense(5, kernel_regularizer=OrthogonalRegularizer(0.01))"],
    "constraints": ["Dense(5, kernel_constraint=MaxNorm(1.0), bias_constraint=NonNeg())", "Dense(5, kernel_constraint=UnitNorm())",
                    "Dense(5, kernel_constraint=MinMaxNorm(0.5, 1.0, 0.9))"],
    "initializers": ['Dense(5, kernel_initializer=HeNormal())', 'Dense(5, kernel_initializer="orthogonal")',
                     'Dense(5, kernel_initializer=VarianceScaling(2.0, "fan_out", "uniform"))'],
}
FIRST = {"Normalization": ["Normalization()"], "Normalization given": ["Normalization(mean=0.5, variance=2.0)"],
         "Normalization None": ["Normalization(axis=None)"], "Normalization inverted": ["Normalization(mean=0.5, variance=2.0, invert=True)"]}
OPTIMIZERS = ["SGD(0.05)", "SGD(0.05, momentum=0.9, nesterov=True)", "Adam(0.01)", "Adam(0.01, amsgrad=True)", "AdamW(0.01)",
              "Nadam(0.01)", "Adamax(0.01)", "RMSprop(0.01)", "RMSprop(0.01, momentum=0.5, centered=True)", "Adagrad(0.1)",
              "Adadelta(1.0)", "Ftrl(0.1)", "Lion(0.001)", "SGD(0.05, clipnorm=1.0)", "SGD(0.05, global_clipnorm=1.0, weight_decay=0.01)",
              "Adam(0.01, use_ema=True, ema_momentum=0.9)", "SGD(0.05, momentum=0.9, gradient_accumulation_steps=2)",
              "SGD(ExponentialDecay(0.1, 10, 0.9), momentum=0.9)", "Adam(PiecewiseConstantDecay([5, 10], [0.1, 0.01, 0.001]))",
              "SGD(PolynomialDecay(0.1, 50))", "SGD(InverseTimeDecay(0.1, 10, 0.5))", "Adam(CosineDecay(0.1, 50))",
              "SGD(CosineDecayRestarts(0.1, 10))"]
# name: (loss, units and activation of the last layer, targets: class, one-hot as float columns, value, or binary)
LOSSES = {
    "sparse_categorical_crossentropy": ("softmax", "class"),
    "SparseCategoricalCrossentropy(from_logits=True)": ("linear", "class"),
    "CategoricalCrossentropy(label_smoothing=0.1)": ("softmax", "onehot"),
    "CategoricalFocalCrossentropy()": ("softmax", "onehot"), "KLDivergence()": ("softmax", "onehot"),
    "CategoricalHinge()": ("linear", "onehot"), "Dice()": ("softmax", "onehot"), "Tversky()": ("softmax", "onehot"),
    "CosineSimilarity()": ("linear", "onehot"),
    "mean_squared_error": ("linear", "value"), "MeanAbsoluteError()": ("linear", "value"),
    "MeanAbsolutePercentageError()": ("linear", "value"), "MeanSquaredLogarithmicError()": ("softplus", "value"),
    "Huber(delta=0.5)": ("linear", "value"), "LogCosh()": ("linear", "value"), "Poisson()": ("softplus", "value"),
    "MeanSquaredError(reduction=\"sum\")": ("linear", "value"),
    "binary_crossentropy": ("sigmoid", "binary"), "BinaryCrossentropy(from_logits=True, label_smoothing=0.1)": ("linear", "binary"),
    "BinaryFocalCrossentropy()": ("sigmoid", "binary"), "Hinge()": ("linear", "binary"), "SquaredHinge()": ("linear", "binary"),
}
METRICS = {
    "class": ["accuracy", "SparseTopKCategoricalAccuracy(k=2)", "sparse_categorical_crossentropy"],
    "onehot": ["accuracy", "TopKCategoricalAccuracy(k=2)", "CategoricalCrossentropy()", "F1Score(average=\"macro\")", "AUC()",
               "KLDivergence()", "CosineSimilarity()"],
    "value": ["mse", "mae", "RootMeanSquaredError()", "MeanAbsolutePercentageError()", "MeanSquaredLogarithmicError()",
              "LogCoshError()", "R2Score()"],
    "binary": ["accuracy", "AUC()", "AUC(curve=\"PR\")", "Precision()", "Recall()", "TruePositives()", "FalseNegatives()",
               "PrecisionAtRecall(0.5)", "RecallAtPrecision(0.5)", "SensitivityAtSpecificity(0.5)", "FBetaScore(beta=2.0)"],
}
