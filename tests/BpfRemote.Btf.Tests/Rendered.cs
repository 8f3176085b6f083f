using System.Buffers;
using System.Text;
using System.Text.Json;

namespace BpfRemote.Btf.Tests;

/// <summary>What the formats write, as strings.</summary>
internal static class Rendered
{
    public static string Json(BtfValueLayout layout, params ReadOnlySpan<byte> value)
    {
        ArrayBufferWriter<byte> output = new();
        new BtfJsonFormat(layout).Write(output, value);
        using JsonDocument document = JsonDocument.Parse(output.WrittenMemory);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    public static string Text(BtfValueLayout layout, params ReadOnlySpan<byte> value) => Text(layout, "", rawValues: false, value);

    public static string Text(BtfValueLayout layout, string fieldName, bool rawValues, params ReadOnlySpan<byte> value)
    {
        ArrayBufferWriter<byte> output = new();
        new BtfTextFormat(layout, fieldName, rawValues).Write(output, value);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    public static string Text(BtfField field, bool rawValues, params ReadOnlySpan<byte> value)
    {
        ArrayBufferWriter<byte> output = new();
        new BtfTextFormat(field, rawValues).Write(output, value);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    public static string Entry(BtfJsonEntryFormat format, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ArrayBufferWriter<byte> output = new();
        format.Write(output, key, value);
        using JsonDocument document = JsonDocument.Parse(output.WrittenMemory);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
