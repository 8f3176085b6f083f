using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using BpfRemote.DemoMaps.Interop;
using BpfRemote.Libbpf;
using Microsoft.Win32.SafeHandles;
using Native = BpfRemote.DemoMaps.Interop.Libbpf;

namespace BpfRemote.DemoMaps;

/// <summary>
/// A map that this process made and may write. It lives until it is disposed of and no pin, program or other process holds it.
/// Calls may come from several threads at once. A call that the kernel refuses throws <see cref="BpfException"/>.
/// </summary>
public sealed unsafe class WritableMap : IDisposable
{
    private readonly MapSpec _spec;
    private readonly SafeFileHandle _handle;

    private WritableMap(MapSpec spec, SafeFileHandle handle)
    {
        _spec = spec;
        _handle = handle;
        Id = KernelCall.IdOf(handle, $"map {spec.Name}");
        ValueStride = spec.Type is BpfMapType.PerCpuHash or BpfMapType.PerCpuArray or BpfMapType.LruPerCpuHash
                or BpfMapType.PerCpuCgroupStorage
            ? checked((int)((spec.ValueSize + 7) / 8 * 8) * PossibleCpus)
            : checked((int)spec.ValueSize);
    }

    /// <summary>How many CPUs a per-CPU value holds a block for.</summary>
    public static int PossibleCpus { get; } = KernelCall.Checked(
        Native.libbpf_num_possible_cpus(), nameof(Native.libbpf_num_possible_cpus), "this node");

    public uint Id { get; }

    public string Name => _spec.Name;

    /// <summary>Bytes of one value here: for per-CPU types <c>round_up(ValueSize, 8) × PossibleCpus</c>.</summary>
    public int ValueStride { get; }

    /// <summary>The map's file descriptor, owned by this object.</summary>
    public SafeFileHandle Handle => _handle;

    public static WritableMap Create(MapSpec spec)
    {
        using HandleUse inner = new(spec.InnerMap?._handle);
        using HandleUse btf = new(spec.Btf);
        bpf_map_create_opts options = new()
        {
            sz = (nuint)sizeof(bpf_map_create_opts),
            btf_fd = btf.FileDescriptor,
            btf_key_type_id = spec.BtfKeyTypeId,
            btf_value_type_id = spec.BtfValueTypeId,
            inner_map_fd = inner.FileDescriptor,
            map_flags = spec.Flags,
            map_extra = spec.MapExtra,
        };

        // SAFETY: libbpf reads options.sz bytes of `options` during the call and keeps no pointer.
        SafeFileHandle handle = KernelCall.Opened(
            Native.bpf_map_create(spec.Type, spec.Name, spec.KeySize, spec.ValueSize, spec.MaxEntries, &options),
            nameof(Native.bpf_map_create),
            $"{spec.Type} {spec.Name}");
        try
        {
            return new(spec, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Writes one entry.</summary>
    /// <param name="key"><see cref="MapSpec.KeySize"/> bytes.</param>
    /// <param name="value"><see cref="ValueStride"/> bytes.</param>
    /// <param name="flags">BPF_ANY 0, BPF_NOEXIST 1, BPF_EXIST 2.</param>
    public void Update(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ulong flags = 0)
    {
        RequireLength(key, _spec.KeySize);
        RequireLength(value, ValueStride);

        // SAFETY: the kernel reads as many bytes as were just checked to be there; an empty key is passed as NULL, as queue wants.
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            KernelCall.Checked(
                Native.bpf_map_update_elem(_handle, keyBytes, valueBytes, flags), nameof(Native.bpf_map_update_elem), Subject);
        }
    }

    /// <summary>Writes one entry whose value is a file descriptor: of an inner map, a program or a socket.</summary>
    public void Update(ReadOnlySpan<byte> key, SafeHandle referred, ulong flags = 0)
    {
        using HandleUse use = new(referred);
        Span<byte> value = stackalloc byte[sizeof(ulong)];
        if (BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(value, use.FileDescriptor);
            Update(key, value[..ValueStride], flags);
        }
        else
        {
            BinaryPrimitives.WriteUInt64BigEndian(value, use.FileDescriptor);
            Update(key, value[^ValueStride..], flags);
        }
    }

    /// <summary>Writes entries in one system call.</summary>
    /// <param name="keys"><c>count × KeySize</c> bytes, packed.</param>
    /// <param name="values"><c>count × ValueStride</c> bytes, packed.</param>
    /// <param name="count">Entries to write.</param>
    public void UpdateBatch(ReadOnlySpan<byte> keys, ReadOnlySpan<byte> values, int count)
    {
        RequireLength(keys, checked(count * _spec.KeySize));
        RequireLength(values, checked((long)count * ValueStride));
        uint done = (uint)count;

        // SAFETY: the kernel reads `count` keys and values, checked above to be there.
        fixed (byte* keyBytes = keys, valueBytes = values)
        {
            KernelCall.Checked(
                Native.bpf_map_update_batch(_handle, keyBytes, valueBytes, &done, null),
                nameof(Native.bpf_map_update_batch),
                Subject);
        }
    }

    /// <summary>Adds a value to a queue, a stack or a bloom_filter.</summary>
    public void Push(ReadOnlySpan<byte> value, ulong flags = 0) => Update([], value, flags);

    /// <summary>The value of a key, <see cref="ValueStride"/> bytes; null where there is none.</summary>
    public byte[]? Lookup(ReadOnlySpan<byte> key)
    {
        RequireLength(key, _spec.KeySize);
        byte[] value = new byte[ValueStride];

        // SAFETY: the kernel writes ValueStride bytes, the length of `value`.
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            int result = Native.bpf_map_lookup_elem(_handle, keyBytes, valueBytes);
            return FoundUnlessMissing(result, nameof(Native.bpf_map_lookup_elem)) ? value : null;
        }
    }

    /// <summary>Removes an entry; false where there was none.</summary>
    public bool Delete(ReadOnlySpan<byte> key)
    {
        RequireLength(key, _spec.KeySize);

        // SAFETY: the kernel reads KeySize bytes, checked above to be there.
        fixed (byte* keyBytes = key)
        {
            return FoundUnlessMissing(
                Native.bpf_map_delete_elem(_handle, keyBytes), nameof(Native.bpf_map_delete_elem));
        }
    }

    /// <summary>Removes entries in one system call. The kernel stops at the first that is not there (ENOENT).</summary>
    /// <param name="keys"><c>count × KeySize</c> bytes, packed.</param>
    /// <param name="count">Entries to remove.</param>
    public void DeleteBatch(ReadOnlySpan<byte> keys, int count)
    {
        RequireLength(keys, checked(count * _spec.KeySize));
        uint done = (uint)count;

        // SAFETY: the kernel reads `count` keys, checked above to be there.
        fixed (byte* keyBytes = keys)
        {
            KernelCall.Checked(
                Native.bpf_map_delete_batch(_handle, keyBytes, &done, null), nameof(Native.bpf_map_delete_batch), Subject);
        }
    }

    /// <summary>Ends writing from user space, for good.</summary>
    public void Freeze() => KernelCall.Checked(Native.bpf_map_freeze(_handle), nameof(Native.bpf_map_freeze), Subject);

    /// <summary>Pins the map; the caller removes the pin by deleting the file.</summary>
    /// <param name="path">Absolute, on a bpffs; what lies there already is EEXIST.</param>
    public void Pin(string path) =>
        KernelCall.Checked(Native.bpf_obj_pin(_handle, path), nameof(Native.bpf_obj_pin), $"{Subject} at {path}");

    public void Dispose() => _handle.Dispose();

    private string Subject => $"map {Id} {_spec.Name}";

    private bool FoundUnlessMissing(int result, string operation) =>
        result != -(int)Errno.ENOENT && KernelCall.Checked(result, operation, Subject) >= 0;

    private static void RequireLength(
        ReadOnlySpan<byte> bytes, long length, [CallerArgumentExpression(nameof(bytes))] string name = "")
    {
        if (bytes.Length != length)
        {
            throw new ArgumentException($"{bytes.Length} bytes where the map takes {length}", name);
        }
    }
}
