// Names of Keras that make no sense for, or are not supported in, a feed-forward Sequential network: the
// error says why.

#include "nn/layers/layer_registry.h"

namespace nntrain::nn {

void refuse_layers(Registry<Layer>& registry) {
  registry.refuse({"Conv1D",
                   "Conv2D",
                   "Conv3D",
                   "Conv1DTranspose",
                   "Conv2DTranspose",
                   "Conv3DTranspose",
                   "Convolution1D",
                   "Convolution2D",
                   "Convolution3D",
                   "DepthwiseConv1D",
                   "DepthwiseConv2D",
                   "SeparableConv1D",
                   "SeparableConv2D",
                   "MaxPooling1D",
                   "MaxPooling2D",
                   "MaxPooling3D",
                   "MaxPool1D",
                   "MaxPool2D",
                   "MaxPool3D",
                   "AveragePooling1D",
                   "AveragePooling2D",
                   "AveragePooling3D",
                   "AvgPool1D",
                   "AvgPool2D",
                   "AvgPool3D",
                   "GlobalAveragePooling1D",
                   "GlobalAveragePooling2D",
                   "GlobalAveragePooling3D",
                   "GlobalMaxPooling1D",
                   "GlobalMaxPooling2D",
                   "GlobalMaxPooling3D",
                   "UpSampling1D",
                   "UpSampling2D",
                   "UpSampling3D",
                   "ZeroPadding1D",
                   "ZeroPadding2D",
                   "ZeroPadding3D",
                   "Cropping1D",
                   "Cropping2D",
                   "Cropping3D",
                   "SpatialDropout1D",
                   "SpatialDropout2D",
                   "SpatialDropout3D"},
                  "there are no convolutions and no pooling here; Flatten and Dense take images too");
  registry.refuse({"RNN", "LSTM", "GRU", "SimpleRNN", "LSTMCell", "GRUCell", "SimpleRNNCell",
                   "StackedRNNCells", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "Bidirectional", "Attention",
                   "AdditiveAttention", "MultiHeadAttention", "GroupQueryAttention", "Masking"},
                  "there are no recurrent and no attention layers here");
  registry.refuse({"Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
                   "add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate", "dot"},
                  "a layer has one input here, as in keras.Sequential");
  registry.refuse(
      {"ReversibleEmbedding", "HashedCrossing", "TextVectorization"},
      "inputs are numbers, or the words of a table's cells (StringLookup); cut text into words and "
      "cross features before");
  registry.refuse(
      {"CenterCrop",      "Resizing",    "Equalization",      "Solarization",   "MixUp",
       "CutMix",          "AugMix",      "RandAugment",       "AutoContrast",   "RandomBrightness",
       "RandomContrast",  "RandomCrop",  "RandomErasing",     "RandomFlip",     "RandomGaussianBlur",
       "RandomGrayscale", "RandomHue",   "RandomInvert",      "RandomRotation", "RandomSaturation",
       "RandomSharpness", "RandomShear", "RandomTranslation", "RandomZoom",     "MelSpectrogram",
       "STFTSpectrogram"},
      "images and sounds are prepared before training");
  registry.refuse({"TimeDistributed"},
                  "Dense and the normalizations work on the last axis of samples of any rank without it");
  registry.refuse({"Lambda", "Wrapper", "Layer", "Pipeline", "SpectralNormalization", "EinsumDense",
                   "JaxLayer", "FlaxLayer", "TFSMLayer", "TorchModuleWrapper"},
                  "it wraps other code, or is not of the feed-forward kind");
}

}  // namespace nntrain::nn
