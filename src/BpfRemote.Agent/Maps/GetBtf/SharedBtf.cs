using System.Numerics;
using System.Security.Cryptography;
using BpfRemote.Agent.Limits;
using BpfRemote.Libbpf;
using Google.Protobuf;
using Grpc.Core;

namespace BpfRemote.Agent.Maps.GetBtf;

/// <summary>The BTF objects that are being sent: one copy of each, however many calls send it, gone with the last.</summary>
/// <remarks>The kernel's own has 5 MB, and each of its readers may take as long as the write timeout for every chunk.</remarks>
internal sealed class SharedBtf(IMapSource source, BufferBudget buffers)
{
    private readonly BufferBudget _buffers = buffers;
    private readonly Lock _lock = new();
    private readonly Dictionary<uint, Copy> _copies = [];

    /// <summary>Opens an object for a call, which disposes it. Its bytes count for the principal that had it read.</summary>
    /// <exception cref="BpfException">ENOENT: no such id. EPERM: the process may not open by id.</exception>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED / BUFFERS_EXHAUSTED.</exception>
    public Copy Open(uint id, string principal)
    {
        // One is read at a time: its size is known only then.
        lock (_lock)
        {
            if (!_copies.TryGetValue(id, out Copy? copy))
            {
                _copies.Add(id, copy = Read(id, principal));
            }

            copy.Users++;
            return copy;
        }
    }

    private Copy Read(uint id, string principal)
    {
        BtfBytes bytes = source.ReadBtf(id);
        try
        {
            uint size = BitOperations.RoundUpToPowerOf2((uint)bytes.Memory.Length); // as the pool of arrays gives them
            _buffers.Take(principal, size);
            return new Copy(this, id, bytes, principal, size);
        }
        catch
        {
            bytes.Dispose();
            throw;
        }
    }

    /// <summary>An object in use.</summary>
    public sealed class Copy(SharedBtf owner, uint id, BtfBytes bytes, string principal, uint size) : IDisposable
    {
        /// <summary>The raw bytes.</summary>
        public ReadOnlyMemory<byte> Memory => bytes.Memory;

        /// <summary>Their SHA-256.</summary>
        public ByteString Sha256 { get; } = UnsafeByteOperations.UnsafeWrap(SHA256.HashData(bytes.Memory.Span));

        /// <summary>Calls that have it open.</summary>
        internal int Users { get; set; }

        /// <summary>Ends one call's use.</summary>
        public void Dispose()
        {
            lock (owner._lock)
            {
                if (--Users == 0)
                {
                    owner._copies.Remove(id);
                    bytes.Dispose();
                    owner._buffers.Give(principal, size);
                }
            }
        }
    }
}
