import subprocess
import sys


def test_torchvision_networks_can_be_built_beside_a_cpu_only_torch() -> None:
    """In a process of its own: importing it changes the operator table for good."""
    program = (
        "from braintumor_desktop.models.torchvision_import import import_torchvision\n"
        "import_torchvision()\n"
        "assert import_torchvision() is import_torchvision()\n"
        "import torch\n"
        "from torchvision.models import vgg16\n"
        "from braintumor_desktop.models.reference_vgg16 import Vgg16\n"
        "ours, theirs = Vgg16().features.state_dict(), vgg16().features.state_dict()\n"
        "assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}\n"
        "print(vgg16().features(torch.zeros(1, 3, 64, 64)).shape)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "torch.Size([1, 512, 2, 2])", done.stderr
    assert not done.stderr


def test_the_program_starts_without_torchvision() -> None:
    program = "import sys, braintumor_desktop.inference.analyzer; assert 'torchvision' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
