using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes stack traces: below the id of each its addresses, the innermost first. After the last the kernel has zeros.</summary>
internal sealed class StackEntryWriter(OutputBuffer output, bool colour) : EntryWriter(output)
{
    private const uint BPF_F_STACK_BUILD_ID = 1 << 5;

    private Layout _layout = new();
    private bool _any;

    /// <summary>Whether the values of a map are addresses, and not offsets into files.</summary>
    public static bool CanWrite(Map map, Layout layout) =>
        layout.ValueKind == ValueKind.Stack && layout.ValueStride % sizeof(ulong) == 0 && (map.Flags & BPF_F_STACK_BUILD_ID) == 0;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema) => _layout = layout;

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Output.Write(_any ? "\n"u8 : default);
        _any = true;
        Output.Write($"{TextStyle.Dim("key =", colour)} {NodeNumber.Read(key, _layout.ByteOrder)}\n");
        for (; value.Length >= sizeof(ulong); value = value[sizeof(ulong)..])
        {
            if (NodeNumber.Read(value[..sizeof(ulong)], _layout.ByteOrder) is > 0 and var address)
            {
                Output.Write($"    0x{address:x16}\n");
            }
        }
    }
}
