"""Dagster's names that are called otherwise here, as data. A name that stands in no table is called the same."""

from __future__ import annotations

from collections.abc import Mapping

DAGSTER_VERSION = "1.13.29"  # what `dagster.__version__` says: the version whose public names are offered

# Dagster's public name -> the public name of Segue
RENAMED: Mapping[str, str] = {
    "DagsterAssetCheckFailedError": "AssetCheckFailedError",
    "DagsterAssetMetadataValue": "AssetMetadataValue",
    "DagsterConfigMappingFunctionError": "ConfigMappingFunctionError",
    "DagsterError": "SegueError",
    "DagsterEvent": "Event",
    "DagsterEventType": "EventType",
    "DagsterExecutionInterruptedError": "ExecutionInterruptedError",
    "DagsterExecutionStepExecutionError": "ExecutionStepExecutionError",
    "DagsterExecutionStepNotFoundError": "ExecutionStepNotFoundError",
    "DagsterInstance": "Instance",
    "DagsterInvalidConfigDefinitionError": "InvalidConfigDefinitionError",
    "DagsterInvalidConfigError": "InvalidConfigError",
    "DagsterInvalidDefinitionError": "InvalidDefinitionError",
    "DagsterInvalidInvocationError": "InvalidInvocationError",
    "DagsterInvalidPropertyError": "InvalidPropertyError",
    "DagsterInvalidSubsetError": "InvalidSubsetError",
    "DagsterInvariantViolationError": "InvariantViolationError",
    "DagsterJobMetadataValue": "JobMetadataValue",
    "DagsterLogManager": "LogManager",
    "DagsterResourceFunctionError": "ResourceFunctionError",
    "DagsterRun": "Run",
    "DagsterRunMetadataValue": "RunMetadataValue",
    "DagsterRunNotFoundError": "RunNotFoundError",
    "DagsterRunStatus": "RunStatus",
    "DagsterStepOutputNotFoundError": "StepOutputNotFoundError",
    "DagsterSubprocessError": "SubprocessError",
    "DagsterType": "SegueType",
    "DagsterTypeCheckDidNotPass": "TypeCheckDidNotPass",
    "DagsterTypeCheckError": "TypeCheckError",
    "DagsterTypeLoader": "TypeLoader",
    "DagsterTypeLoaderContext": "TypeLoaderContext",
    "DagsterUnknownPartitionError": "UnknownPartitionError",
    "DagsterUnknownResourceError": "UnknownResourceError",
    "DagsterUnmetExecutorRequirementsError": "UnmetExecutorRequirementsError",
    "DagsterUserCodeExecutionError": "UserCodeExecutionError",
    "PythonObjectDagsterType": "PythonObjectType",
    "check_dagster_type": "check_type",
    "dagster_type_loader": "type_loader",
    "get_dagster_logger": "get_logger",
    "make_python_type_usable_as_dagster_type": "make_python_type_usable_as_type",
    "usable_as_dagster_type": "usable_as_type",
}

# Dagster's public name -> where its superseded form is kept
SUPERSEDED: Mapping[str, str] = {
    "AutoMaterializeAssetPartitionsFilter": "segue.compat.auto_materialize:AutoMaterializeAssetPartitionsFilter",
    "AutoMaterializePolicy": "segue.compat.auto_materialize:AutoMaterializePolicy",
    "AutoMaterializeRule": "segue.compat.auto_materialize:AutoMaterializeRule",
    "BetaWarning": "segue.compat.warning_categories:BetaWarning",
    "LegacyFreshnessPolicy": "segue.compat.legacy_freshness:LegacyFreshnessPolicy",
    "MetadataEntry": "segue.compat.metadata_entry:MetadataEntry",
    "PreviewWarning": "segue.compat.warning_categories:PreviewWarning",
    "BindResourcesToJobs": "segue.compat.repository:BindResourcesToJobs",
    "RepositoryData": "segue.compat.repository_data:RepositoryData",
    "RepositoryDefinition": "segue.compat.repository:RepositoryDefinition",
    "create_repository_using_definitions_args": "segue.compat.repository:create_repository_using_definitions_args",
    "repository": "segue.compat.repository:repository",
}

# A private module of Dagster -> the module here that offers what real code takes from it
PRIVATE_MODULES: Mapping[str, str] = {
    "dagster._check": "segue.compat.check",
    "dagster._check.functions": "segue.compat.check",
    "dagster._record": "segue.compat.record",
    "dagster_shared.check": "segue.compat.check",
    "dagster_shared.record": "segue.compat.record",
}

# A private name of Dagster (module and name) that has no public namesake, or another one -> where it stands here
PRIVATE_NAMES: Mapping[str, str] = {
    "dagster._core.storage.db_io_manager.DbClient": "segue.execute.io_managers.database:DbClient",
    "dagster._core.storage.db_io_manager.DbIOManager": "segue.execute.io_managers.database:DbIOManager",
    "dagster._core.storage.db_io_manager.DbTypeHandler": "segue.execute.io_managers.database:DbTypeHandler",
    "dagster._core.storage.db_io_manager.TablePartitionDimension": (
        "segue.execute.io_managers.database:TablePartitionDimension"
    ),
    "dagster._core.storage.db_io_manager.TableSlice": "segue.execute.io_managers.database:TableSlice",
    "dagster._core.libraries.DagsterLibraryRegistry": "segue.compat.library_registry:DagsterLibraryRegistry",
    "dagster_shared.libraries.DagsterLibraryRegistry": "segue.compat.library_registry:DagsterLibraryRegistry",
    "dagster._serdes.whitelist_for_serdes": "segue.compat.serdes:whitelist_for_serdes",
    "dagster._serdes.serdes.whitelist_for_serdes": "segue.compat.serdes:whitelist_for_serdes",
    "dagster_shared.serdes.whitelist_for_serdes": "segue.compat.serdes:whitelist_for_serdes",
    "dagster_shared.serdes.serdes.whitelist_for_serdes": "segue.compat.serdes:whitelist_for_serdes",
    "dagster._core.execution.plan.objects.StepFailureData": "segue.model.event_data:StepFailureData",
    "dagster._core.execution.plan.objects.StepRetryData": "segue.model.event_data:StepRetryData",
    "dagster._core.execution.plan.objects.StepSuccessData": "segue.model.event_data:StepSuccessData",
    "dagster._core.execution.plan.outputs.StepOutputData": "segue.model.event_data:StepOutputData",
    "dagster._core.storage.defs_state.base.DefsStateStorage": "segue.compat.defs_state:DefsStateStorage",
    "dagster_shared.serdes.objects.models.defs_state_info.LOCAL_STATE_VERSION": (
        "segue.compat.defs_state:LOCAL_STATE_VERSION"
    ),
    "dagster._utils.ensure_dir": "segue.compat.small_functions:mkdir_p",
    "dagster._annotations.beta": "segue.compat.annotations:beta",
    "dagster._annotations.experimental": "segue.compat.annotations:experimental",
    "dagster._annotations.is_public": "segue.compat.annotations:is_public",
    "dagster._annotations.preview": "segue.compat.annotations:preview",
    "dagster._annotations.public": "segue.compat.annotations:public",
    "dagster._core.definitions.unresolved_asset_job_definition.UnresolvedAssetJobDefinition": (
        "segue.defs.asset_job:AssetJobDefinition"
    ),
    "dagster._core.definitions.partitioned_schedule.UnresolvedPartitionedAssetScheduleDefinition": (
        "segue.defs.partitioned_schedule:UnresolvedPartitionedAssetScheduleDefinition"
    ),
    "dagster._core.definitions.events.CoercibleToAssetKey": "segue.model.keys:CoercibleToAssetKey",
    "dagster._core.definitions.events.CoercibleToAssetKeyPrefix": "segue.model.keys:CoercibleToAssetKeyPrefix",
    "dagster._core.definitions.metadata.ArbitraryMetadataMapping": "segue.compat.type_names:ArbitraryMetadataMapping",
    "dagster._core.definitions.metadata.RawMetadataMapping": "segue.compat.type_names:RawMetadataMapping",
    "dagster._core.definitions.metadata.normalize_metadata": "segue.model.metadata:normalize_metadata",
    "dagster._core.definitions.metadata.metadata_set.TableMetadataSet": "segue.compat.metadata_sets:TableMetadataSet",
    "dagster._core.definitions.metadata.source_code.CodeReferencesMetadataSet": (
        "segue.compat.metadata_sets:CodeReferencesMetadataSet"
    ),
    "dagster._core.definitions.data_version.DATA_VERSION_IS_USER_PROVIDED_TAG": (
        "segue.model.data_version:USER_PROVIDED_TAG"
    ),
    "dagster._core.definitions.declarative_automation.operators.AndAutomationCondition": (
        "segue.model.condition.operators:AndAutomationCondition"
    ),
    "dagster._core.definitions.tags.build_kind_tag": "segue.compat.small_functions:build_kind_tag",
    "dagster._core.definitions.load_assets_from_modules.find_modules_in_package": (
        "segue.compat.small_functions:find_modules_in_package"
    ),
    "dagster._core.definitions.partition.DEFAULT_DATE_FORMAT": "segue.compat.type_names:DEFAULT_DATE_FORMAT",
    "dagster._core.definitions.partitions.utils.multi.MULTIPARTITION_KEY_DELIMITER": (
        "segue.compat.type_names:MULTIPARTITION_KEY_DELIMITER"
    ),
    "dagster._utils.partitions.DEFAULT_HOURLY_FORMAT_WITHOUT_TIMEZONE": (
        "segue.compat.type_names:DEFAULT_HOURLY_FORMAT_WITHOUT_TIMEZONE"
    ),
    "dagster._core.storage.tags.DOCKER_IMAGE_TAG": "segue.compat.type_names:DOCKER_IMAGE_TAG",
    "dagster._core.execution.retries.RetryMode": "segue.compat.type_names:RetryMode",
    "dagster._core.execution.tags.get_tag_concurrency_limits_config": (
        "segue.compat.type_names:get_tag_concurrency_limits_config"
    ),
    "dagster._core.utils.parse_env_var": "segue.compat.small_functions:parse_env_var",
    "dagster._core.execution.retries.get_retries_config": "segue.compat.type_names:get_retries_config",
    "dagster._config.UserConfigSchema": "segue.compat.type_names:UserConfigSchema",
    "dagster._config.config_schema.UserConfigSchema": "segue.compat.type_names:UserConfigSchema",
    "dagster._config.field_utils.IntEnvVar": "segue.defs.environment:IntEnvVar",
    "dagster._config.pythonic_config.resource.TResValue": "segue.compat.type_names:TResValue",
    "dagster._config.structured_config.Resource": "segue.defs.resource:ConfigurableResource",
    "dagster._config.structured_config.StructuredConfigIOManager": (
        "segue.defs.configurable_io_manager:ConfigurableIOManager"
    ),
    "dagster._core.test_utils.environ": "segue.compat.small_functions:environ",
    "dagster._time.get_current_datetime": "segue.compat.small_functions:get_current_datetime",
    "dagster._seven.temp_dir.get_system_temp_directory": "segue.compat.small_functions:get_system_temp_directory",
    "dagster._utils.backoff.backoff": "segue.compat.backoff:backoff",
    "dagster._utils.cached_method.cached_method": "segue.compat.cached_method:cached_method",
    "dagster._utils.error.serializable_error_info_from_exc_info": (
        "segue.compat.small_functions:serializable_error_info_from_exc_info"
    ),
    "dagster._utils.merger.merge_dicts": "segue.compat.small_functions:merge_dicts",
    "dagster._utils.merge_dicts": "segue.compat.small_functions:merge_dicts",
    "dagster._utils.mkdir_p": "segue.compat.small_functions:mkdir_p",
    "dagster._utils.safe_tempfile_path": "segue.compat.small_functions:safe_tempfile_path",
    "dagster.utils.yaml_utils.load_yaml_from_path": "segue.compat.small_functions:load_yaml_from_path",
    "dagster._core.definitions.partitions.subset.AllPartitionsSubset": "segue.compat.partitions:AllPartitionsSubset",
    "dagster._core.definitions.partitions.subset.DefaultPartitionsSubset": (
        "segue.compat.partitions:DefaultPartitionsSubset"
    ),
    "dagster._core.definitions.partitions.subset.TimeWindowPartitionsSubset": (
        "segue.compat.partitions:TimeWindowPartitionsSubset"
    ),
    "dagster._core.definitions.partitions.context.PartitionLoadingContext": (
        "segue.compat.partitions:PartitionLoadingContext"
    ),
    "dagster._core.definitions.partitions.utils.PersistedTimeWindow": "segue.compat.partitions:PersistedTimeWindow",
    "dagster._core.definitions.temporal_context.TemporalContext": "segue.compat.partitions:TemporalContext",
    "dagster._core.instance.types.DynamicPartitionsStore": "segue.model.partitions.loading:DynamicPartitionsStore",
    "dagster._core.events.AssetMaterializationPlannedData": "segue.model.event_data:AssetMaterializationPlannedData",
    "dagster._core.events.AssetObservationData": "segue.model.event_data:AssetObservationData",
    "dagster._core.events.AssetWipedData": "segue.model.event_data:AssetWipedData",
    "dagster._core.events.EngineEventData": "segue.model.event_data:EngineEventData",
    "dagster._core.events.HandledOutputData": "segue.model.event_data:HandledOutputData",
    "dagster._core.events.JobFailureData": "segue.model.event_data:RunFailureData",
    "dagster._core.events.LoadedInputData": "segue.model.event_data:LoadedInputData",
    "dagster._core.events.RunFailureReason": "segue.model.run:FailureReason",
    "dagster._core.events.StepExpectationResultData": "segue.model.event_data:StepExpectationResultData",
    "dagster._core.events.StepFailureData": "segue.model.event_data:StepFailureData",
    "dagster._core.events.StepMaterializationData": "segue.model.event_data:StepMaterializationData",
    "dagster._core.events.StepOutputData": "segue.model.event_data:StepOutputData",
    "dagster._core.events.StepRetryData": "segue.model.event_data:StepRetryData",
    "dagster._core.events.StepSuccessData": "segue.model.event_data:StepSuccessData",
    "dagster._core.execution.stats.RunStepKeyStatsSnapshot": "segue.model.run_stats:RunStepStats",
    "dagster._core.execution.stats.StepEventStatus": "segue.model.run_stats:StepEventStatus",
    "dagster._core.instance.InstanceRef": "segue.defs.instance_ref:InstanceRef",
    "dagster._core.instance.ref.InstanceRef": "segue.defs.instance_ref:InstanceRef",
    "dagster._core.storage.asset_check_execution_record.AssetCheckExecutionRecord": (
        "segue.defs.instance_checks:AssetCheckExecutionRecord"
    ),
    "dagster._core.storage.asset_check_execution_record.AssetCheckExecutionRecordStatus": (
        "segue.defs.instance_checks:AssetCheckExecutionRecordStatus"
    ),
    "dagster._core.execution.plan.outputs.StepOutputHandle": "segue.model.step_values:StepOutputHandle",
    "dagster._core.storage.dagster_run.DagsterRunStatsSnapshot": "segue.model.run_stats:RunStats",
    "dagster._core.storage.dagster_run.FINISHED_STATUSES": "segue.model.run:FINISHED_STATUSES",
    "dagster._core.storage.dagster_run.make_new_run_id": "segue.storage.ids:new_id",
    "dagster._core.storage.tags.ASSET_PARTITION_RANGE_END_TAG": "segue.model.tags:PARTITION_RANGE_END_TAG",
    "dagster._core.storage.tags.ASSET_PARTITION_RANGE_START_TAG": "segue.model.tags:PARTITION_RANGE_START_TAG",
    "dagster._core.storage.tags.BACKFILL_ID_TAG": "segue.model.tags:BACKFILL_TAG",
    "dagster._core.storage.tags.PARENT_RUN_ID_TAG": "segue.model.tags:PARENT_RUN_ID_TAG",
    "dagster._core.storage.tags.PARTITION_NAME_TAG": "segue.model.tags:PARTITION_TAG",
    "dagster._core.storage.tags.RESUME_RETRY_TAG": "segue.model.tags:RESUME_RETRY_TAG",
    "dagster._core.storage.tags.ROOT_RUN_ID_TAG": "segue.model.tags:ROOT_RUN_ID_TAG",
    "dagster._core.storage.tags.SCHEDULE_NAME_TAG": "segue.model.tags:SCHEDULE_NAME_TAG",
    "dagster._core.storage.tags.SENSOR_NAME_TAG": "segue.model.tags:SENSOR_NAME_TAG",
    "dagster._core.utils.make_new_run_id": "segue.storage.ids:new_id",
    "dagster._utils.error.SerializableErrorInfo": "segue.model.event_data:ErrorInfo",
    "dagster._core.definitions.auto_materialize_policy.AutoMaterializePolicyType": (
        "segue.compat.auto_materialize:AutoMaterializePolicyType"
    ),
    "dagster._core.definitions.backfill_policy.BackfillPolicyType": "segue.model.policies:BackfillPolicyType",
    "dagster._core.definitions.data_version.CODE_VERSION_TAG": "segue.model.data_version:CODE_VERSION_TAG",
    "dagster._core.definitions.data_version.DATA_VERSION_TAG": "segue.model.data_version:DATA_VERSION_TAG",
    "dagster._core.definitions.data_version.INPUT_DATA_VERSION_TAG_PREFIX": (
        "segue.model.data_version:INPUT_DATA_VERSION_TAG_PREFIX"
    ),
    "dagster._core.definitions.data_version.INPUT_EVENT_POINTER_TAG_PREFIX": (
        "segue.model.data_version:INPUT_EVENT_POINTER_TAG_PREFIX"
    ),
    "dagster._core.definitions.data_version.compute_logical_data_version": (
        "segue.model.data_version:compute_logical_data_version"
    ),
    "dagster._core.definitions.freshness.CronFreshnessPolicy": "segue.model.freshness:CronFreshnessPolicy",
    "dagster._core.definitions.freshness.INTERNAL_FRESHNESS_POLICY_METADATA_KEY": (
        "segue.model.freshness:FRESHNESS_POLICY_METADATA"
    ),
    "dagster._core.definitions.freshness.TimeWindowFreshnessPolicy": "segue.model.freshness:TimeWindowFreshnessPolicy",
    "dagster.deprecated.FreshnessPolicy": "segue.compat.legacy_freshness:LegacyFreshnessPolicy",
    "dagster._config.ConfigAnyInstance": "segue.defs.config_schema.types:ANY",
    "dagster._config.ConfigTypeKind": "segue.defs.config_schema.types:ConfigTypeKind",
    "dagster._config.DagsterEvaluationErrorReason": "segue.errors:ConfigErrorReason",
    "dagster._config.convert_potential_field": "segue.defs.config_schema.shapes:convert_potential_field",
    "dagster._config.process_config": "segue.defs.config_schema.process:process_config",
    "dagster._config.pythonic_config.PartialResource": "segue.defs.resource:PartialResource",
    "dagster._config.resolve_to_config_type": "segue.defs.config_schema.written:resolve_to_config_type",
    "dagster._config.validate_config": "segue.defs.config_schema.process:validate_config",
    "dagster._config.errors.DagsterEvaluationErrorReason": "segue.errors:ConfigErrorReason",
    "dagster._config.validate.process_config": "segue.defs.config_schema.process:process_config",
    "dagster._config.validate.validate_config": "segue.defs.config_schema.process:validate_config",
    "dagster._core.definitions.ReconstructableJob": "segue.host.reconstruct:ReconstructableJob",
    "dagster._core.definitions.reconstruct.ReconstructableJob": "segue.host.reconstruct:ReconstructableJob",
    "dagster._core.execution.execution_result.ExecutionResult": "segue.defs.execution_result:ExecutionResult",
    "dagster._core.definitions.assets.job.asset_layer.AssetLayer": "segue.defs.asset_layer:AssetLayer",
    "dagster._core.definitions.dependency.DependencyStructure": "segue.defs.graph_structure:DependencyStructure",
    "dagster._core.definitions.dependency.Node": "segue.defs.node:NodeUse",
    "dagster._core.definitions.dependency.NodeHandle": "segue.model.node_handle:NodeHandle",
    "dagster._core.definitions.dependency.NodeInput": "segue.defs.node:NodeInput",
    "dagster._core.definitions.dependency.NodeOutput": "segue.defs.node:NodeOutput",
    "dagster._core.definitions.resource_annotation.TreatAsResourceParam": "segue.defs.signature:PlainResource",
    "dagster._core.definitions.resource_definition.IContainsGenerator": "segue.defs.resource_context:ResourcesToClose",
    "dagster._core.errors.DagsterAssetBackfillDataLoadError": (
        "segue.compat.errors_unraised:DagsterAssetBackfillDataLoadError"
    ),
    "dagster._core.errors.DagsterBackfillFailedError": ("segue.compat.errors_unraised:DagsterBackfillFailedError"),
    "dagster._core.errors.DagsterCodeLocationLoadError": "segue.errors:LocationUnavailableError",
    "dagster._core.errors.DagsterCodeLocationNotFoundError": "segue.errors:LocationUnavailableError",
    "dagster._core.errors.DagsterDefinitionChangedDeserializationError": (
        "segue.compat.errors_unraised:DagsterDefinitionChangedDeserializationError"
    ),
    "dagster._core.errors.DagsterEventLogInvalidForRun": ("segue.compat.errors_unraised:DagsterEventLogInvalidForRun"),
    "dagster._core.errors.DagsterExecutionHandleOutputError": "segue.errors:ExecutionHandleOutputError",
    "dagster._core.errors.DagsterExecutionLoadInputError": "segue.errors:ExecutionLoadInputError",
    "dagster._core.errors.DagsterExecutionPlanSnapshotNotFoundError": (
        "segue.compat.errors_unraised:DagsterExecutionPlanSnapshotNotFoundError"
    ),
    "dagster._core.errors.DagsterHomeNotSetError": "segue.compat.errors_unraised:DagsterHomeNotSetError",
    "dagster._core.errors.DagsterInvalidAssetKey": "segue.compat.errors_unraised:DagsterInvalidAssetKey",
    "dagster._core.errors.DagsterInvalidDeserializationVersionError": (
        "segue.compat.errors_unraised:DagsterInvalidDeserializationVersionError"
    ),
    "dagster._core.errors.DagsterLaunchFailedError": "segue.compat.errors_unraised:DagsterLaunchFailedError",
    "dagster._core.errors.DagsterMaxRetriesExceededError": (
        "segue.compat.errors_unraised:DagsterMaxRetriesExceededError"
    ),
    "dagster._core.errors.DagsterObjectStoreError": "segue.compat.errors_unraised:DagsterObjectStoreError",
    "dagster._core.errors.DagsterRedactedUserCodeError": "segue.errors:RedactedUserCodeError",
    "dagster._core.errors.DagsterRunAlreadyExists": "segue.compat.errors_unraised:DagsterRunAlreadyExists",
    "dagster._core.errors.DagsterRunConflict": "segue.compat.errors_unraised:DagsterRunConflict",
    "dagster._core.errors.DagsterRunTooLargeError": "segue.compat.errors_unraised:DagsterRunTooLargeError",
    "dagster._core.errors.DagsterSnapshotDoesNotExist": ("segue.compat.errors_unraised:DagsterSnapshotDoesNotExist"),
    "dagster._core.errors.DagsterTypeLoadingError": "segue.compat.errors_unraised:DagsterTypeLoadingError",
    "dagster._core.errors.DagsterUndefinedDataVersionError": (
        "segue.compat.errors_unraised:DagsterUndefinedDataVersionError"
    ),
    "dagster._core.errors.DagsterUnknownStepStateError": ("segue.compat.errors_unraised:DagsterUnknownStepStateError"),
    "dagster._core.errors.DagsterUserCodeLoadError": "segue.errors:LoadError",
    "dagster._core.errors.DagsterUserCodeProcessError": "segue.errors:LocationUnavailableError",
    "dagster._core.errors.DagsterUserCodeUnreachableError": "segue.errors:LocationUnavailableError",
    "dagster._core.errors.DagsterUserCodeUnreachableTimeoutError": "segue.errors:LocationUnavailableError",
    "dagster._core.errors.FreshnessPolicySensorExecutionError": (
        "segue.compat.errors_unraised:FreshnessPolicySensorExecutionError"
    ),
    "dagster._core.errors.HookExecutionError": "segue.compat.errors_unraised:HookExecutionError",
    "dagster._core.errors.JobError": "segue.compat.errors_unraised:JobError",
    "dagster._core.errors.PartitionExecutionError": "segue.compat.errors_unraised:PartitionExecutionError",
    "dagster._core.errors.RunStatusSensorExecutionError": (
        "segue.compat.errors_unraised:RunStatusSensorExecutionError"
    ),
    "dagster._core.errors.SensorExecutionError": "segue.compat.errors_unraised:SensorExecutionError",
    "dagster._core.errors.DagsterImportError": "segue.errors:LoadError",
    "dagster._core.errors.DagsterInvalidDagsterTypeInPythonicConfigDefinitionError": (
        "segue.errors:InvalidConfigDefinitionError"
    ),
    "dagster._core.errors.DagsterInvalidMetadata": "segue.errors:InvalidDefinitionError",
    "dagster._core.errors.DagsterInvalidObservationError": "segue.errors:InvalidObservationError",
    "dagster._core.errors.DagsterInvalidPythonicConfigDefinitionError": "segue.errors:InvalidConfigDefinitionError",
    "dagster._core.errors.DagsterPipesExecutionError": "segue.errors:PipesExecutionError",
    "dagster._core.pipes.context.PIPES_COMPOSITE_WRITERS_KEY": "segue.execute.pipes.protocol:COMPOSITE_WRITERS_KEY",
    "dagster._core.pipes.context.build_external_execution_context_data": (
        "segue.execute.pipes.session:build_external_execution_context_data"
    ),
    "dagster._core.pipes.utils.PipesThreadedMessageReader": "segue.execute.pipes.readers:PipesThreadedMessageReader",
    "dagster._core.storage.file_manager.LocalFileManager": "segue.execute.file_manager:LocalFileManager",
    "dagster._core.storage.fs_io_manager.PickledObjectFilesystemIOManager": (
        "segue.execute.io_managers.filesystem:FilesystemIOManager"
    ),
}
