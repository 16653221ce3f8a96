"""A Keras step as a function of tensors, which is what can be written down."""

import keras
import torch

Variables = list[keras.Variable]


class Scope(keras.StatelessScope):
    """Stands for the memory of variables as torch's own memory does.

    What is assigned is copied in place, without a gradient, as `Variable.assign` does it: a value
    that is read after it was assigned is the variable's own, and no result of the step.

    Args:
        variables: those with a stand-in.
        stand_ins: their tensors, in the same order.
    """

    def __init__(self, variables: Variables, stand_ins: list[torch.Tensor]) -> None:
        super().__init__(zip(variables, stand_ins, strict=True), collect_losses=True)
        self._known = {id(v): t for v, t in zip(variables, stand_ins, strict=True)}
        self._others = {}

    @property
    def others(self) -> Variables:
        """Variables without a stand-in that were read or assigned."""
        return list(self._others.values())

    def get_current_value(self, variable: keras.Variable) -> torch.Tensor | None:
        """What Keras asks for whenever a variable is read; notes those that are unknown."""
        if id(variable) not in self._known:
            self._others[id(variable)] = variable
        return super().get_current_value(variable)

    def add_update(self, update: tuple[keras.Variable, torch.Tensor]) -> None:
        """What Keras calls for `variable.assign(value)`."""
        variable, value = update
        stand_in = self._known.get(id(variable))
        if stand_in is None:
            self._others[id(variable)] = variable
            super().add_update(update)
            return
        with torch.no_grad():
            stand_in.copy_(value)


class StatelessStep:
    """State and batch in; logs, added losses and gradients out; the state is updated in place.

    Attributes:
        structure: of the logs, zeros in the place of tensors; after a call.
        with_gradients: positions of the variables that have a gradient; after a call.
        losses: (layer, count): what each layer has added; after a call.
        others: variables outside `variables` that the step reads or assigns; after a call.
    """

    def __init__(self, model: keras.Model, kind: str, batch: tuple, variables: Variables) -> None:
        self._model = model
        self._method = getattr(model, f"{kind}_step")
        self._kind = kind
        self._batch = batch
        self._variables = variables
        self.structure = None
        self.with_gradients = []
        self.losses = []
        self.others = []

    def __call__(self, *tensors: torch.Tensor) -> list[torch.Tensor]:
        """Take the step on tensors of the state, in the order of `variables`, and of a batch."""
        state, leaves = tensors[: len(self._variables)], iter(tensors[len(self._variables) :])
        batch = keras.tree.map_structure(lambda t: t if t is None else next(leaves), self._batch)
        stand_ins = [
            tensor.detach().requires_grad_(v._value.requires_grad)
            for tensor, v in zip(state, self._variables, strict=True)
        ]
        with (
            torch.set_grad_enabled(self._kind == "train"),
            Scope(self._variables, stand_ins) as scope,
        ):
            outputs = self._method(batch)
            losses = self._take_losses(scope)
        self.others = scope.others
        self.with_gradients = [i for i, t in enumerate(stand_ins) if t.grad is not None]
        # The shape of the results without the results: a tensor here would outlive the trace.
        self.structure = keras.tree.map_structure(lambda _: 0, outputs)
        gradients = [stand_ins[i].grad for i in self.with_gradients]
        results = [*keras.tree.flatten(outputs), *losses, *gradients]
        return [keras.ops.convert_to_tensor(tensor).detach() for tensor in results]

    def _take_losses(self, scope):
        """What layers have added, by layer, as `model.losses` finds it after a step."""
        self.losses, taken = [], []
        for layer in self._model._flatten_layers():
            own = [loss for loss in scope.losses if id(loss) in layer._loss_ids]
            layer._loss_ids.clear()
            if own:
                self.losses.append((layer, len(own)))
                taken += own
        return taken
