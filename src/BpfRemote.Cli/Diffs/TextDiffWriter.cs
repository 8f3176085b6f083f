using System.Buffers;
using BpfRemote.Btf;
using BpfRemote.Cli.Entries;
using BpfRemote.Cli.Output;
using BpfRemote.Client;

namespace BpfRemote.Cli.Diffs;

/// <summary>
/// Writes differences for people: a line for each key, after <c>+</c>, <c>-</c> or <c>~</c>, and indented below it the value, or what of it
/// changed.
/// </summary>
/// <param name="output">Where to.</param>
/// <param name="width">Columns that fit on a line.</param>
/// <param name="colour">Whether what happened to an entry may be in colour.</param>
internal sealed class TextDiffWriter(OutputBuffer output, int width, bool colour) : DiffWriter
{
    private const int Mark = 2;
    private const int Indent = 4;

    private readonly ArrayBufferWriter<byte> _text = new();
    private BtfTextFormat? _key;
    private BtfTextFormat? _value;
    private FieldChanges? _changes;

    public override void Begin(MapSchema? schema)
    {
        _key = schema?.Key is { } key ? new(key) : null;
        _value = schema is null ? null : new(schema.Value);
        _changes = schema is null ? null : new(schema.Value);
    }

    public override void Write(DiffKind kind, EntryShape shape, ReadOnlySpan<byte> key, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        output.Write(kind switch
        {
            DiffKind.Added => TextStyle.Green("+ ", colour),
            DiffKind.Removed => TextStyle.Red("- ", colour),
            _ => TextStyle.Yellow("~ ", colour),
        });
        WriteValue(_key, key, Mark);
        output.Write("\n"u8);
        for (int i = 0; shape.ValueSize > 0 && i < (shape.Cpus?.Count ?? 1); i++)
        {
            string cpu = shape.Cpus is { } cpus ? $"cpu{cpus[i]} " : "";
            if (kind == DiffKind.Changed)
            {
                WriteChange(cpu, shape, Block(old, i, shape), Block(now, i, shape));
            }
            else
            {
                output.Write($"    {cpu}");
                WriteValue(_value, Block(kind == DiffKind.Added ? now : old, i, shape), Indent + cpu.Length);
                output.Write("\n"u8);
            }
        }
    }

    private static ReadOnlySpan<byte> Block(ReadOnlySpan<byte> value, int index, EntryShape shape) =>
        value.Slice(index * shape.ValueSize, shape.ValueSize);

    private void WriteChange(string cpu, EntryShape shape, ReadOnlySpan<byte> old, ReadOnlySpan<byte> now)
    {
        if (old.SequenceEqual(now))
        {
            return;
        }

        if (_changes?.Find(old, now) is { Count: > 0 } changes)
        {
            foreach (FieldChange change in changes)
            {
                output.Write($"    {cpu}{change}\n");
            }
        }
        else if (Number(old, shape) is { } before && Number(now, shape) is { } after)
        {
            output.Write($"    {cpu}{new FieldChange("", before, after)}\n");
        }
        else
        {
            output.Write($"    {cpu}");
            WriteValue(format: null, old, Indent + cpu.Length);
            output.Write($"\n {"->".PadLeft(cpu.Length + 2)} ");
            WriteValue(format: null, now, Indent + cpu.Length);
            output.Write("\n"u8);
        }
    }

    // Further lines stand a little to the right of the first.
    private void WriteValue(BtfTextFormat? format, ReadOnlySpan<byte> value, int column)
    {
        _text.ResetWrittenCount();
        if (format is not null)
        {
            format.Write(_text, value);
        }
        else
        {
            HexBytes.WriteSpaced(_text, value);
        }

        FoldedText.Write(output, _text.WrittenSpan, column, width, column + Mark);
    }

    private static string? Number(ReadOnlySpan<byte> value, EntryShape shape) =>
        NodeNumber.Fits(value.Length) ? $"{NodeNumber.Read(value, shape.Order)}" : null;
}
