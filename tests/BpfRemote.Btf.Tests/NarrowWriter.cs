using System.Buffers;

namespace BpfRemote.Btf.Tests;

/// <summary>A buffer that gives no more than 64 KiB at once, as those of the command line do.</summary>
internal sealed class NarrowWriter : IBufferWriter<byte>
{
    private const int Largest = 64 << 10;

    private readonly ArrayBufferWriter<byte> _written = new();

    public ReadOnlySpan<byte> Written => _written.WrittenSpan;

    public void Advance(int count) => _written.Advance(count);

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Assert.InRange(sizeHint, 0, Largest);
        return _written.GetMemory(sizeHint)[..Math.Max(sizeHint, 1)];
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;
}
