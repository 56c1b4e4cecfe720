/** The version of this build, which every batch names. */
declare const APP_VERSION: string;
