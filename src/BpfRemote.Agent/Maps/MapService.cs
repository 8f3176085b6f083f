using BpfRemote.Agent.Access;
using BpfRemote.Agent.Errors;
using BpfRemote.Agent.Maps.GetBtf;
using BpfRemote.Agent.Maps.ListMaps;
using BpfRemote.Agent.Maps.LookupBatch;
using BpfRemote.Agent.Maps.LookupElements;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;

namespace BpfRemote.Agent.Maps;

/// <summary>The map service of the contract.</summary>
internal sealed class MapService(
    IMapSource source,
    MapResolver maps,
    ListMapsHandler listMaps,
    LookupBatchHandler lookupBatch,
    LookupElementsHandler lookupElements,
    GetBtfHandler getBtf)
    : V1.MapService.MapServiceBase
{
    public override Task<ListMapsResponse> ListMaps(ListMapsRequest request, ServerCallContext context) =>
        Task.FromResult(listMaps.Handle(request, CallAccess.Of(context), context.CancellationToken));

    public override Task<GetMapResponse> GetMap(GetMapRequest request, ServerCallContext context)
    {
        List<FieldViolation> violations = [];
        MapResolver.Validate(request.Map, violations);
        MapUse.Validate(request.View, violations);
        if (violations.Count > 0)
        {
            throw ServiceError.InvalidFields(violations);
        }

        Map description;
        using (IBpfMap map = maps.Open(request.Map, CallAccess.Of(context)))
        {
            description = MapDescription.Of(map);
        }

        if (request.View == MapView.Full)
        {
            MapUse.Read(source, context.CancellationToken).AddTo(description);
        }

        return Task.FromResult(new GetMapResponse { Map = description });
    }

    public override Task LookupBatch(
        LookupBatchRequest request, IServerStreamWriter<LookupBatchResponse> responseStream, ServerCallContext context) =>
        lookupBatch.HandleAsync(request, responseStream, context);

    public override Task<LookupElementsResponse> LookupElements(LookupElementsRequest request, ServerCallContext context) =>
        lookupElements.HandleAsync(request, context);

    public override Task GetBtf(GetBtfRequest request, IServerStreamWriter<GetBtfResponse> responseStream, ServerCallContext context) =>
        getBtf.HandleAsync(request, responseStream, context);
}
