"""GroupMixFormer (Ge et al. 2023) in plain PyTorch: the peer of the step benchmark.

Tokens are [B, N, C] and maps [B, C, H, W] as in the official code, whose parameter names it keeps.
"""

import torch
from torch import nn
from torch.nn import functional as F

VARIANTS = {
    "tiny": dict(dims=(80, 160, 200, 240), depths=(4, 4, 12, 4), mlp=(4, 4, 4, 4), drop_path=0.1),
    "small": dict(dims=(80, 160, 320, 320), depths=(2, 4, 12, 4), mlp=(4, 4, 4, 4), drop_path=0.2),
}
HEADS = 8
SEGMENTS = 5
WINDOWS = ((3, 2), (5, 3), (7, 3))


class SeparableConv(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inputs, kernel, stride, kernel // 2, groups=inputs, bias=False)
        self.pointwise_conv = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return self.pointwise_conv(self.conv1(x))


class ConvStem(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.proj1 = nn.Conv2d(3, dim // 2, 3, 2, 1)
        self.norm1 = nn.BatchNorm2d(dim // 2)
        self.proj2 = nn.Conv2d(dim // 2, dim, 3, 2, 1)
        self.norm2 = nn.BatchNorm2d(dim)

    def forward(self, x):
        x = F.hardswish(self.norm1(self.proj1(x)))
        return F.hardswish(self.norm2(self.proj2(x)))


class PatchEmbed(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.proj = SeparableConv(inputs, outputs, 3, stride)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return F.hardswish(self.norm(self.proj(x)))


class PositionEncoding(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.proj = nn.Conv2d(dim, dim, 3, 1, 1, groups=dim)

    def forward(self, x, size):
        batch, _, channels = x.shape
        image = x.transpose(1, 2).reshape(batch, channels, *size)
        return (self.proj(image) + image).flatten(2).transpose(1, 2)


class RelativePositionEncoding(nn.Module):
    def __init__(self, head_dim):
        super().__init__()
        self.widths = [heads * head_dim for _, heads in WINDOWS]
        self.conv_list = nn.ModuleList(
            nn.Conv2d(width, width, window, padding=window // 2, groups=width)
            for width, (window, _) in zip(self.widths, WINDOWS)
        )

    def forward(self, q, v, size):
        batch, heads, tokens, dim = q.shape
        image = v.transpose(-1, -2).reshape(batch, heads * dim, *size)
        parts = [conv(part) for conv, part in zip(self.conv_list, image.split(self.widths, 1))]
        encoded = torch.cat(parts, 1).reshape(batch, heads, dim, tokens).transpose(-1, -2)
        return q * encoded


class NonAttention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.conv = SeparableConv(3 * dim, dim, 3)
        self.norm = nn.LayerNorm(dim)

    def forward(self, x):
        x = self.conv(x).permute(0, 2, 3, 1)
        return F.hardswish(self.norm(x)).permute(0, 3, 1, 2)


class Aggregator(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
        self.norm0 = nn.BatchNorm2d(dim)
        self.agg1, self.agg2, self.agg3 = (SeparableConv(dim, dim, kernel) for kernel in (3, 5, 7))
        self.norm1, self.norm2, self.norm3 = (nn.BatchNorm2d(dim) for _ in range(3))
        self.agg0 = NonAttention(dim)

    def forward(self, x, size):
        tripled, _, channels = x.shape
        image = x.transpose(1, 2).reshape(tripled, channels, *size)
        same, small, middle, large, aside = image.split(self.dim, 1)
        mixed = [
            F.hardswish(self.norm0(same)),
            F.hardswish(self.norm1(self.agg1(small))),
            F.hardswish(self.norm2(self.agg2(middle))),
            F.hardswish(self.norm3(self.agg3(large))),
        ]
        batch = tripled // 3
        aside = aside.reshape(3, batch, self.dim, *size).transpose(0, 1).reshape(batch, 3 * self.dim, *size)
        tokens = size[0] * size[1]
        qkv = torch.cat(mixed, 1).reshape(3, batch, HEADS, 4 * self.dim // HEADS, tokens).transpose(-1, -2)
        return qkv, self.agg0(aside).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scale = (dim // HEADS) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.aggregator = Aggregator(dim // SEGMENTS)
        self.crpe = RelativePositionEncoding(4 * dim // SEGMENTS // HEADS)

    def forward(self, x, size):
        batch, tokens, channels = x.shape
        qkv = self.qkv(x).reshape(batch, tokens, 3, channels).permute(2, 0, 1, 3)
        (q, k, v), aside = self.aggregator(qkv.reshape(3 * batch, tokens, channels), size)
        context = k.softmax(2).transpose(-1, -2) @ v
        attended = self.scale * (q @ context) + self.crpe(q, v, size)
        attended = attended.transpose(1, 2).reshape(batch, tokens, -1)
        return self.proj(torch.cat((attended, aside), -1))


class Mlp(nn.Module):
    def __init__(self, dim, hidden):
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.fc2 = nn.Linear(hidden, dim)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


def drop_path(x, rate, training):
    if rate == 0 or not training:
        return x
    kept = torch.empty(x.shape[0], 1, 1, device=x.device).bernoulli_(1 - rate)
    return x * kept / (1 - rate)


class Block(nn.Module):
    def __init__(self, dim, ratio, rate):
        super().__init__()
        self.rate = rate
        self.cpe = PositionEncoding(dim)
        self.norm1 = nn.LayerNorm(dim, 1e-6)
        self.att = Attention(dim)
        self.norm2 = nn.LayerNorm(dim, 1e-6)
        self.mlp = Mlp(dim, dim * ratio)

    def forward(self, x, size):
        x = self.cpe(x, size)
        x = x + drop_path(self.att(self.norm1(x), size), self.rate, self.training)
        return x + drop_path(self.mlp(self.norm2(x)), self.rate, self.training)


class Stage(nn.Module):
    def __init__(self, dim, ratio, rates):
        super().__init__()
        self.gma_stage = nn.ModuleList(Block(dim, ratio, rate) for rate in rates)

    def forward(self, image):
        batch, channels, height, width = image.shape
        x = image.flatten(2).transpose(1, 2)
        for block in self.gma_stage:
            x = block(x, (height, width))
        return x.transpose(1, 2).reshape(batch, channels, height, width)


class GroupMixFormer(nn.Module):
    def __init__(self, dims, depths, mlp, drop_path, classes=1000):
        super().__init__()
        total = sum(depths)
        rates = iter(drop_path * block / (total - 1) for block in range(total))
        self.conv_stem = ConvStem(dims[0])
        self.patch_embed_layers = nn.ModuleList(
            PatchEmbed(dims[max(stage - 1, 0)], dims[stage], 1 if stage == 0 else 2) for stage in range(4)
        )
        self.groupmixformer_backbone = nn.ModuleList(
            Stage(dims[stage], mlp[stage], [next(rates) for _ in range(depths[stage])]) for stage in range(4)
        )
        self.norm4 = nn.BatchNorm2d(dims[3])
        self.head = nn.Linear(dims[3], classes)

    def stages(self, x):
        x = self.conv_stem(x)
        for embed, stage in zip(self.patch_embed_layers, self.groupmixformer_backbone):
            x = stage(embed(x))
            yield x

    def forward(self, x):
        *_, last = self.stages(x)
        return self.head(self.norm4(last).mean((2, 3)))


def build(variant):
    return GroupMixFormer(**VARIANTS[variant])
