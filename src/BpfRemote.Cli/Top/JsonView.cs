using System.Buffers;
using System.Text.Json;
using BpfRemote.Btf;
using BpfRemote.Cli.Output;

namespace BpfRemote.Cli.Top;

/// <summary>Writes refreshes as JSON: an object a line for each entry, or a document for each refresh.</summary>
internal sealed class JsonView(Session session, RefreshPace pace) : TopView
{
    // How deep an entry is in a document, in its array.
    private const int EntryDepth = 2;

    private readonly ArrayBufferWriter<byte> _formatted = new();

    public override void Show(Refresh refresh)
    {
        if (session.Settings.Format == OutputFormat.Json)
        {
            session.Settings.JsonStyle.WriteDocument(session.Output, json => WriteRefresh(json, refresh));
        }
        else
        {
            BtfJsonEntryFormat? format = Format(refresh, JsonStyle.Compact);
            foreach (TopEntry entry in refresh.Entries)
            {
                JsonStyle.Compact.WriteDocument(session.Output, json => WriteEntry(json, refresh, format, entry, withTime: true));
            }
        }

        session.Output.Flush();
    }

    public override void Tell(string message) => session.Terminal.Say(message);

    private static BtfJsonEntryFormat? Format(Refresh refresh, JsonStyle style) => refresh.Map.Schema is { } schema
        ? BtfJsonEntryFormat.Single(schema.Key, schema.Value, style.Indented, EntryDepth + 1)
        : null;

    private void WriteRefresh(Utf8JsonWriter json, Refresh refresh)
    {
        BtfJsonEntryFormat? format = Format(refresh, session.Settings.JsonStyle);
        json.WriteStartObject();
        json.WriteString("time", refresh.Time);
        MapJson.WriteIdentity(json, refresh.Map.Map);
        json.WriteNumber("entries", refresh.Total);
        json.WriteNumber("interval_ms", (long)pace.Next(refresh.KernelTime, refresh.Duration).TotalMilliseconds);
        json.WriteNumber("kernel_time_us", (long)refresh.KernelTime.TotalMicroseconds);
        json.WriteStartArray("top");
        foreach (TopEntry entry in refresh.Entries)
        {
            WriteEntry(json, refresh, format, entry, withTime: false);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteEntry(Utf8JsonWriter json, Refresh refresh, BtfJsonEntryFormat? format, TopEntry entry, bool withTime)
    {
        json.WriteStartObject();
        if (withTime)
        {
            json.WriteString("time", refresh.Time);
        }

        json.WriteStartArray("key");
        foreach (byte b in entry.Key)
        {
            json.WriteStringValue($"0x{b:x2}");
        }

        json.WriteEndArray();
        if (format is not null)
        {
            _formatted.ResetWrittenCount();
            format.Write(_formatted, entry.Key, entry.Value);
            json.WritePropertyName("formatted");
            json.WriteRawValue(_formatted.WrittenSpan);
        }

        json.WriteString("field", refresh.Map.Field.Name);
        json.WritePropertyName("value");
        json.WriteRawValue($"{entry.Number}");
        WriteRate(json, entry);
        json.WriteBoolean("new", entry.IsNew);
        json.WriteEndObject();
    }

    private static void WriteRate(Utf8JsonWriter json, TopEntry entry)
    {
        if (entry.Rate is { } rate)
        {
            json.WriteNumber("rate", Math.Round(rate, 3));
        }
        else
        {
            json.WriteNull("rate");
        }
    }
}
