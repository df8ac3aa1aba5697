"""Batches of images from a manifest table: decoded, cached, augmented, cropped. tf.data lives here only."""

from skinkit.pipeline.augment.affine import rotate
from skinkit.pipeline.augment.distortion import DISTORTIONS
from skinkit.pipeline.contents import contents_reader
from skinkit.pipeline.crops import centre_box, coverage, crop_corners
from skinkit.pipeline.dataset import build_dataset, naming_images, pixel_scaling, steps_per_epoch
from skinkit.pipeline.decode import decode_file, shades_of_gray
from skinkit.pipeline.extra_inputs import ExtraInputs
from skinkit.pipeline.mixup import MIXINGS, Mixup
from skinkit.pipeline.pretext import Disorder, Turn, disorder, turn
from skinkit.pipeline.sampling import SAMPLERS, Sampler
from skinkit.pipeline.spec import Augmentation, Crops, PipelineSpec
from skinkit.pipeline.views import VIEWS, check_views, image_views, symbolic_views
