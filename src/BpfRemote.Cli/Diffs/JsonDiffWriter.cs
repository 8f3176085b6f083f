using BpfRemote.Btf;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Client;

namespace BpfRemote.Cli.Diffs;

/// <summary>
/// Writes differences as JSON objects with <c>kind</c>, <c>key</c>, <c>old</c> and <c>new</c>, bytes as bpftool's, and the same again under
/// <c>formatted</c> where types are known: in an array, or one a line.
/// </summary>
internal sealed class JsonDiffWriter(OutputBuffer output, JsonStyle style, bool isArray) : DiffWriter
{
    private readonly int _depth = isArray ? 1 : 0;
    private BtfJsonFormat? _key;
    private BtfJsonFormat? _value;
    private BtfJsonFormat? _cpuValue;
    private bool _begun;
    private bool _any;

    public override void Begin(MapSchema? schema)
    {
        _key = schema?.Key is { } key ? new(key, style.Indented, _depth + 2) : null;
        _value = schema is null ? null : new(schema.Value, style.Indented, _depth + 2);
        _cpuValue = schema is null ? null : new(schema.Value, style.Indented, _depth + 4);
        output.Write(isArray ? "[" : "");
        _begun = true;
    }

    public override void Write(DiffKind kind, EntryShape shape, ReadOnlySpan<byte> key, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        BeginElement();
        output.Write($"{{{style.NewLine(_depth + 1)}\"kind\"{style.Colon}\"{Name(kind)}\",");
        output.Write($"{style.NewLine(_depth + 1)}\"key\"{style.Colon}[");
        HexBytes.WriteJson(output, key);
        output.Write("]"u8);
        if (shape.ValueSize > 0)
        {
            WriteValues(kind, shape, old, now, format: null, cpuFormat: null, _depth + 1, first: false);
            WriteFormatted(kind, shape, key, old, now);
        }

        output.Write($"{style.NewLine(_depth)}}}{(isArray ? "" : "\n")}");
    }

    public override void End()
    {
        if (isArray)
        {
            output.Write($"{(_any ? style.NewLine(0) : "")}]\n");
        }
    }

    public override bool Fail(string message)
    {
        if (!isArray)
        {
            return false;
        }

        if (!_begun)
        {
            output.Write($"{style.ErrorObject(message, depth: 0)}\n");
            return true;
        }

        BeginElement();
        output.Write(style.ErrorObject(message, _depth));
        End();
        return true;
    }

    private static string Name(DiffKind kind) => kind switch
    {
        DiffKind.Added => "added",
        DiffKind.Removed => "removed",
        _ => "changed",
    };

    private void BeginElement()
    {
        output.Write(isArray ? $"{(_any ? "," : "")}{style.NewLine(_depth)}" : "");
        _any = true;
    }

    private void WriteFormatted(DiffKind kind, EntryShape shape, ReadOnlySpan<byte> key, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        if (_value is null)
        {
            return;
        }

        output.Write($",{style.NewLine(_depth + 1)}\"formatted\"{style.Colon}{{");
        if (_key is not null)
        {
            output.Write($"{style.NewLine(_depth + 2)}\"key\"{style.Colon}");
            _key.Write(output, key);
        }

        WriteValues(kind, shape, old, now, _value, _cpuValue, _depth + 2, first: _key is null);
        output.Write($"{style.NewLine(_depth + 1)}}}");
    }

    private void WriteValues(
        DiffKind kind,
        EntryShape shape,
        ReadOnlySpan<byte> old,
        ReadOnlySpan<byte> now,
        BtfJsonFormat? format,
        BtfJsonFormat? cpuFormat,
        int depth,
        bool first)
    {
        if (kind != DiffKind.Added)
        {
            output.Write($"{(first ? "" : ",")}{style.NewLine(depth)}\"old\"{style.Colon}");
            WriteValue(shape, old, format, cpuFormat, depth);
        }

        if (kind != DiffKind.Removed)
        {
            output.Write($"{(first && kind == DiffKind.Added ? "" : ",")}{style.NewLine(depth)}\"new\"{style.Colon}");
            WriteValue(shape, now, format, cpuFormat, depth);
        }
    }

    private void WriteValue(EntryShape shape, ReadOnlySpan<byte> value, BtfJsonFormat? format, BtfJsonFormat? cpuFormat, int depth)
    {
        if (shape.Cpus is not { } cpus)
        {
            WriteOne(value, format);
            return;
        }

        for (int i = 0; i < cpus.Count; i++)
        {
            output.Write($"{(i == 0 ? "[" : ",")}{style.NewLine(depth + 1)}{{{style.NewLine(depth + 2)}\"cpu\"{style.Colon}{cpus[i]},");
            output.Write($"{style.NewLine(depth + 2)}\"value\"{style.Colon}");
            WriteOne(value.Slice(i * shape.ValueSize, shape.ValueSize), cpuFormat);
            output.Write($"{style.NewLine(depth + 1)}}}");
        }

        output.Write($"{style.NewLine(depth)}]");
    }

    private void WriteOne(ReadOnlySpan<byte> value, BtfJsonFormat? format)
    {
        if (format is not null)
        {
            format.Write(output, value);
            return;
        }

        output.Write("["u8);
        HexBytes.WriteJson(output, value);
        output.Write("]"u8);
    }
}
