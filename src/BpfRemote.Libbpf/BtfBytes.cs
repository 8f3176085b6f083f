using System.Buffers;

namespace BpfRemote.Libbpf;

/// <summary>The raw bytes of a BTF object, in a pooled array that goes back when this is disposed.</summary>
/// <param name="array">The rented array.</param>
/// <param name="length">Bytes of it that count.</param>
public sealed class BtfBytes(byte[] array, int length) : IDisposable
{
    private byte[]? _array = array;

    /// <summary>The object.</summary>
    public ReadOnlyMemory<byte> Memory => (_array ?? throw new ObjectDisposedException(nameof(BtfBytes))).AsMemory(0, length);

    public void Dispose()
    {
        if (_array is not null)
        {
            ArrayPool<byte>.Shared.Return(_array);
            _array = null;
        }
    }
}
