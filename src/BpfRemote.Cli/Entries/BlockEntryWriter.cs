using System.Text;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>Writes entries as hex dumps: 16 bytes a line with their offset, in hexadecimal and as text, within 80 columns.</summary>
internal sealed class BlockEntryWriter(OutputBuffer output) : EntryWriter(output)
{
    private const int LineBytes = 16;
    private const int LabelWidth = 6;
    private const int HexWidth = LineBytes * 3;
    private const int MaxLineWidth = 160;

    private Layout _layout = new();
    private bool _any;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema) => _layout = layout;

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Output.Write(_any ? "\n"u8 : default);
        _any = true;
        if (!key.IsEmpty)
        {
            WriteBlock("key", key);
        }

        if (_layout.ValueError.Length > 0)
        {
            Output.Write($"value <the kernel gives none: {_layout.ValueError}>\n");
        }
        else if (_layout.ValueKind == ValueKind.PerCpu)
        {
            int stride = value.Length / _layout.PossibleCpuIds.Count;
            for (int i = 0; i < _layout.PossibleCpuIds.Count; i++)
            {
                WriteBlock($"cpu{_layout.PossibleCpuIds[i]}", value.Slice(i * stride, (int)_layout.ValueSize));
            }
        }
        else
        {
            WriteBlock("value", value);
        }
    }

    private void WriteBlock(string label, ReadOnlySpan<byte> bytes)
    {
        for (int offset = 0; offset < bytes.Length; offset += LineBytes)
        {
            WriteLine(offset == 0 ? label : "", offset, bytes.Slice(offset, Math.Min(LineBytes, bytes.Length - offset)));
        }
    }

    private void WriteLine(string label, int offset, ReadOnlySpan<byte> bytes)
    {
        Span<byte> line = Output.Reserve(MaxLineWidth);
        line.Fill((byte)' ');
        int start = Encoding.ASCII.GetBytes(label, line) < LabelWidth ? LabelWidth : label.Length + 1;
        offset.TryFormat(line[start..], out int digits, "x4");
        Span<byte> hex = line[(start + digits + 2)..];
        Span<byte> text = hex[(HexWidth + 2)..];
        text[0] = (byte)'|';
        for (int i = 0; i < bytes.Length; i++)
        {
            // A wider gap in the middle.
            bytes[i].TryFormat(hex[((i * 3) + (i / 8))..], out _, "x2");
            text[i + 1] = bytes[i] is >= 0x20 and < 0x7f ? bytes[i] : (byte)'.';
        }

        text[bytes.Length + 1] = (byte)'|';
        text[bytes.Length + 2] = (byte)'\n';
        Output.Advance(start + digits + 2 + HexWidth + 2 + bytes.Length + 3);
    }
}
