"""One graph of a model's predictions for batches of any size."""


def traced(model):
    """Returns the model itself, with `predict_on_batch` traced for batches of any size.

    Keras traces a model for the size of the first batch, and anew for the smaller one at the end.

    Args:
        model: A `keras.Model`; compiling it loses the graph.

    Example:
        >>> found = [traced(model).predict_on_batch(images) for images, _ in batches]
    """
    import tensorflow as tf

    model.make_predict_function()
    inputs = [tf.TensorSpec(x.shape, x.dtype) for x in model.inputs]
    model.predict_function.get_concrete_function([(inputs if len(inputs) > 1 else inputs[0],)])
    return model
