"""The paper of a delivery: its proof, for whom it was brought to."""

from doorstep.modules.tms.documents.pod import PodData, PodLine, PodPhoto, render_pod

__all__ = ["PodData", "PodLine", "PodPhoto", "render_pod"]
