using System.Text;
using BpfRemote.Cli.Output;
using BpfRemote.Client;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>
/// Writes what <c>bpftool -j map dump</c> writes: an array of entries; for several maps an array of objects that hold such arrays.
/// A dump that fails ends with an error object where the next element would be, and everything open is closed: the text is always
/// JSON, and never looks complete when it is not.
/// </summary>
/// <param name="output">Where to write.</param>
/// <param name="style">How to lay the text out.</param>
/// <param name="severalMaps">Whether the selector fits several maps.</param>
/// <param name="resumed">Whether the dump begins in the middle of the map.</param>
internal sealed class JsonEntryWriter(OutputBuffer output, JsonStyle style, bool severalMaps, bool resumed) : EntryWriter(output)
{
    private readonly int _entryDepth = severalMaps ? 3 : 1;
    private readonly byte[] _betweenEntries = Encoding.UTF8.GetBytes("," + style.NewLine(severalMaps ? 3 : 1));
    private JsonEntry? _entry;
    private bool _anyMap;
    private bool _anyEntry;

    // bpftool asks for every index of some types and prints the error for those that hold nothing, which the agent leaves out.
    // 0 where there is nothing to fill in.
    private uint _indexes;
    private uint _nextIndex;
    private ByteOrder _order;

    public override void BeginMap(Map map, Layout layout, MapSchema? schema)
    {
        if (severalMaps)
        {
            Output.Write($"{(_anyMap ? "," : "[")}{style.NewLine(1)}{Header(map)}");
        }

        Output.Write("["u8);
        _anyMap = true;
        _anyEntry = false;
        _entry = new(layout, schema, style, _entryDepth);
        _indexes = ShowsHoles(map.Type) && !resumed ? map.MaxEntries : 0;
        _nextIndex = 0;
        _order = layout.ByteOrder;
    }

    public override void WriteEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (_indexes > 0)
        {
            uint index = (uint)NodeNumber.Read(key, _order);
            WriteHolesBefore(index);
            _nextIndex = index + 1;
        }

        BeginEntry();
        _entry!.Write(Output, key, value);
    }

    public override void EndMap(bool complete)
    {
        if (complete)
        {
            WriteHolesBefore(_indexes);
        }

        EndElements();
    }

    public override void Close() => Output.Write(severalMaps ? $"{style.NewLine(0)}]\n" : "\n");

    public override bool Fail(string message)
    {
        if (_entry is not null)
        {
            BeginEntry();
            Output.Write(style.ErrorObject(message, _entryDepth));
            EndElements();
            Close();
        }
        else if (_anyMap)
        {
            Output.Write($",{style.NewLine(1)}{style.ErrorObject(message, depth: 1)}");
            Close();
        }
        else
        {
            Output.Write($"{style.ErrorObject(message, depth: 0)}\n");
        }

        return true;
    }

    private static bool ShowsHoles(MapType type) =>
        type is MapType.Devmap or MapType.Cpumap or MapType.Sockmap or MapType.ReuseportSockarray or MapType.Xskmap;

    private void BeginEntry()
    {
        if (_anyEntry)
        {
            Output.Write(_betweenEntries);
        }
        else
        {
            Output.Write(style.NewLine(_entryDepth));
            _anyEntry = true;
        }
    }

    private void EndElements()
    {
        _entry = null;
        string close = _anyEntry ? style.NewLine(_entryDepth - 1) + "]" : "]";
        Output.Write(severalMaps ? $"{close}{style.NewLine(1)}}}" : close);
    }

    private void WriteHolesBefore(uint index)
    {
        Span<byte> key = stackalloc byte[sizeof(uint)];
        for (; _nextIndex < index; _nextIndex++)
        {
            NodeNumber.Write(key, _nextIndex, _order);
            BeginEntry();
            _entry!.WriteHole(Output, key);
        }
    }

    private string Header(Map map)
    {
        string line = style.NewLine(2), colon = style.Colon;
        string name = map.Name.Length > 0 ? $"{line}\"name\"{colon}{style.Quote(map.Name)}," : "";
        string type = uint.TryParse(map.TypeName, out _) ? map.TypeName : style.Quote(map.TypeName);
        return $"{{{line}\"id\"{colon}{map.Id},{line}\"type\"{colon}{type},{name}"
            + $"{line}\"flags\"{colon}{(int)map.Flags},{line}\"elements\"{colon}";
    }
}
