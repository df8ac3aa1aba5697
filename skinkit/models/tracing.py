"""One graph of a model's predictions for batches of any size."""


def traced(model):
    """Returns the model itself, with `predict_on_batch` traced once for batches of any size.

    Keras traces a model for the size of the first batch, anew for the smaller one at the end, and all again
    after each `compile`, which changes nothing in how a model predicts.

    Args:
        model: A `keras.Model`; one that was compiled to run eagerly has no graph and stays as it is.

    Example:
        >>> found = [traced(model).predict_on_batch(images) for images, _ in batches]
    """
    import tensorflow as tf

    if model.run_eagerly:
        return model
    how = model.jit_compile, model.steps_per_execution
    before, function = getattr(model, "_traced", (None, None))
    if before == how:
        model.predict_function = function
        return model
    model.make_predict_function()
    inputs = [tf.TensorSpec(x.shape, x.dtype) for x in model.inputs]
    model.predict_function.get_concrete_function([(inputs if len(inputs) > 1 else inputs[0],)])
    model._traced = how, model.predict_function
    return model
